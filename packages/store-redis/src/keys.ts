/** Where one account is kept. */
export interface Keys {
  readonly record: string;
  readonly lease: string;
  /** What a sign-in was written over. */
  readonly aside: string;
  /** The channel of all accounts. */
  readonly channel: string;
  /** The topic that the record was written, and by which store. */
  readonly changed: string;
  /** The topic that the lease is free. */
  readonly released: string;
}

/** What all accounts of a prefix are hinted at over. */
export function channelOf(prefix: string): string {
  return `${prefix}hints`;
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
    channel: channelOf(prefix),
    changed: `changed ${tag}`,
    released: `released ${tag}`,
  };
}
