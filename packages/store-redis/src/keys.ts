/** Where one account is kept. */
export interface Keys {
  readonly record: string;
  readonly lease: string;
  /** What a sign-in was written over. */
  readonly aside: string;
  /** Says that the record was written, and by which store. */
  readonly changed: string;
  /** Says that the lease is free. */
  readonly released: string;
}

/**
 * The part in braces alone decides the slot of Redis Cluster, so that one script may use all keys of an account. Any
 * text serves as an account: half a surrogate pair, which has no URI encoding, is escaped before.
 */
export function keysOf(prefix: string, account: string): Keys {
  const tag = encodeURIComponent(JSON.stringify(account).slice(1, -1));
  const base = `${prefix}{${tag}}`;
  return {
    record: `${base}:record`,
    lease: `${base}:lease`,
    aside: `${base}:aside`,
    changed: `${base}:changed`,
    released: `${base}:released`,
  };
}
