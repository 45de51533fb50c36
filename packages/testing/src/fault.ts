/**
 * A point in the life of a request at the server: `request`: it has been read and nothing was done with it;
 * `answer`: it took effect and no byte of the answer was sent; `body`: headers and half of the body were sent.
 */
export type Point = 'request' | 'answer' | 'body';

/** Header names and values. */
export type HeaderFields = Readonly<Record<string, string | readonly string[]>>;

/** An answer in full. */
export interface Answer {
  /** @default 200 */
  readonly status?: number | undefined;
  readonly headers?: HeaderFields | undefined;
  /** A string or bytes go out as they are; anything else is sent as JSON. @default empty */
  readonly body?: unknown;
}

/** What goes wrong with one request, as data; the empty object is an ordinary request. */
export interface Fault {
  /** Waits there until `release()`. */
  readonly hold?: Point | undefined;
  /** Destroys the connection there. */
  readonly reset?: Point | undefined;
  /** Is sent in place of the server's own answer. */
  readonly respond?: Answer | undefined;
  /** Headers put over those of the answer, whoever made it. */
  readonly headers?: HeaderFields | undefined;
  /** Sends the first half of the body as if it were the whole. */
  readonly truncate?: boolean | undefined;
}

/** What goes wrong with one token request. */
export interface TokenEndpointFault extends Fault {
  /**
   * With `respond`: the exchange takes effect all the same, so the refresh token is spent and the tokens are lost.
   * @default false
   */
  readonly takesEffect?: boolean | undefined;
  /** Members put over those of a successful answer; undefined leaves the member out. */
  readonly change?: Readonly<Record<string, unknown>> | undefined;
  /** Shifts the `Date` header by this much. */
  readonly dateOffsetMs?: number | undefined;
  /** Adds `Retry-After`, as seconds or, counted from the server's clock, as an HTTP date. */
  readonly retryAfter?:
    | { readonly seconds: number; readonly as?: 'seconds' | 'date' | undefined }
    | undefined;
}
