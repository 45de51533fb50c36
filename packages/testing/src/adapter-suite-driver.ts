import type { AdapterOptions, RequestOptions, TokenSource, TokenSourceResolver } from '@unexpired/core';

/** One request, in words that every client knows. */
export interface SuiteRequest {
  /** Absolute. */
  readonly url: string;
  /** @default 'GET' */
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Of a kind that the driver's `bodies` says the client takes. */
  readonly body?: unknown;
  /** The body is so long that the client is to be set as its users set it for that. @default false */
  readonly isLong?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly unexpired?: RequestOptions | undefined;
}

/** How a request ended. */
export interface SuiteAnswer {
  /** Undefined where nothing was answered. An answer that the client threw as an error is an answer too. */
  readonly status: number | undefined;
  /** Of the answer's body. */
  readonly text: string;
  readonly headers: { get(name: string): string | null | undefined };
  /** What the client threw; undefined where it threw nothing. */
  readonly error: unknown;
  /** What `explain401` is asked about: the client's response or error; undefined where it has no such object. */
  readonly native: object | undefined;
}

/** Sends one request; never rejects. */
export type SuiteClient = (request: SuiteRequest) => Promise<SuiteAnswer>;

/**
 * The kinds of request bodies. `form-data package` is the npm package of that name: it can neither be recorded nor sent
 * twice.
 */
export type BodyKind =
  | 'string'
  | 'plain object'
  | 'bytes'
  | 'array buffer'
  | 'blob'
  | 'url search params'
  | 'form data'
  | 'form-data package'
  | 'node stream'
  | 'web stream'
  | 'async generator'
  | 'restartable iterable';

/** True: the client takes the suite's own value. A function makes the client's form of it. A string says why not. */
export type BodySupport = true | string | (() => unknown);

/** What registers a case: the `test` of Jest, Vitest, or node:test. */
export interface SuiteTest {
  (name: string, run: () => Promise<void>): unknown;
  readonly skip: (name: string, run: () => Promise<void>) => unknown;
}

/** The connections that a client keeps. */
export interface SuitePool {
  /** At most so many to one origin. */
  readonly connections: number;
}

export interface AdapterSuiteOptions {
  readonly test: SuiteTest;
  /**
   * A client of its own for each case. It sends each request once, and the adapter a second time. Where the client's
   * pool cannot be chosen, `pool` is left alone.
   */
  readonly createClient: (
    tokens: TokenSource | TokenSourceResolver,
    options?: AdapterOptions,
    pool?: SuitePool,
  ) => SuiteClient;
  readonly bodies: Readonly<Record<BodyKind, BodySupport>>;
  /** Cases that cannot be had with this client, by name, with the reason. @default none */
  readonly skips?: Readonly<Record<string, string>> | undefined;
  /** How often the cases of sockets get a 401 and send once more. @default 500 */
  readonly cycles?: number | undefined;
}
