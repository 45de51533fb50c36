import { originOf } from './origins.ts';

/** What an adapter sets on one attempt of one request. It belongs to that attempt and is not kept. */
export interface Authorization {
  /** Set on a copy of the request's headers. Not enumerable, so that neither inspection nor JSON shows it. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Name of the header where it is not Authorization: clients do not strip it from redirects to other origins, so the
   * adapter must, or must refuse redirects.
   */
  readonly customHeader: string | undefined;
}

/** What core remembers of an authorization it gave out. */
export interface Sent {
  readonly origin: string;
  /** The access token; undefined for the fallback. */
  readonly token: string | undefined;
  /** Whose it is, where id tokens say so. */
  readonly subject?: string | undefined;
}

const sentBy = new WeakMap<Authorization, Sent>();

export function createAuthorization(sent: Sent, name: string, value: string): Authorization {
  const hidden = { value: Object.freeze({ [name]: value }) };
  const customHeader = name.toLowerCase() === 'authorization' ? undefined : name;
  const authorization = Object.defineProperty({ customHeader }, 'headers', hidden) as Authorization;
  sentBy.set(authorization, sent);
  return Object.freeze(authorization);
}

export function sentOf(authorization: Authorization): Sent | undefined {
  return sentBy.get(authorization);
}

/**
 * Takes what was set on a request off the headers of a redirect that leaves its origin; for clients that keep them.
 * Without a `url`, it does.
 */
export function confine(
  authorization: Authorization,
  { url, headers }: { url: string | undefined; headers: Record<string, unknown> },
): void {
  if (url && originOf(url) === sentOf(authorization)?.origin) return;
  const values = Object.values(authorization.headers).map((value) => value.trim());
  for (const [name, value] of Object.entries(headers)) {
    // By value: a header that the caller set for the other origin stays.
    if (values.includes(String(value).trim())) delete headers[name];
  }
}
