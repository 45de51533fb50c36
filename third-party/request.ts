import {
  request as requestHttp,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions as NodeOptions,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream';

/** Sent in chunks, unless it is text or bytes. */
export type Body = string | Uint8Array | AsyncIterable<unknown>;

export interface RequestOptions {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Body | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly agent?: NodeOptions['agent'];
}

export interface Exchange {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
}

/** node:http's and node:https' `request` as a promise of the response. A tiny client: no redirects, no retries. */
export function send(url: string, { body, ...options }: RequestOptions = {}): Promise<Exchange> {
  const { promise, resolve, reject } = Promise.withResolvers<Exchange>();
  const open = url.startsWith('https:') ? requestHttps : requestHttp;
  const request = open(url, options as NodeOptions);
  request.once('response', (response) => resolve({ request, response }));
  request.on('error', reject);
  if (typeof body === 'object' && Symbol.asyncIterator in body) {
    pipeline(body, request, (error) => error && reject(error));
  } else {
    request.end(body);
  }
  return promise;
}
