import { Code, ConnectError, type Interceptor } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import type { RequestListener } from 'node:http';
import type { Answer, ReceivedRequest } from '@unexpired/testing';
import { Ticker } from './ticker.ts';

export interface Seen {
  readonly admitted: boolean;
  readonly token: string | undefined;
}

export interface TickerServer {
  readonly listener: RequestListener;
  /** The calls since this was last asked. */
  readonly seen: () => Seen[];
  /** How many calls were carried out. */
  readonly runs: () => number;
  /** The next call is admitted, and unavailable after this. */
  readonly failAfter: (incident: () => void) => void;
}

/** A service whose interceptor refuses calls; for a stream, and in gRPC-web always, that is an answer of 200 whose end says so. */
export function createTickerServer(accepts: (token: string | undefined) => boolean): TickerServer {
  const calls: Seen[] = [];
  let runs = 0;
  let incident: (() => void) | undefined;
  const wantsToken: Interceptor = (next) => (call) => {
    const token = call.header.get('authorization')?.replace('Bearer ', '');
    const admitted = accepts(token);
    calls.push({ admitted, token });
    if (!admitted) throw new ConnectError('Expired or revoked', Code.Unauthenticated);
    if (incident === undefined) return next(call);
    incident();
    incident = undefined;
    throw new ConnectError('Overloaded', Code.Unavailable);
  };
  const listener = connectNodeAdapter({
    interceptors: [wantsToken],
    routes: (router) =>
      router.service(Ticker, {
        greet({ value }) {
          runs += 1;
          return { value: `Hello, ${value}` };
        },
        async *count({ value }) {
          runs += 1;
          for (let i = 1; i <= value; i += 1) yield { value: i };
        },
      }),
  });
  return {
    listener,
    seen: () => calls.splice(0),
    runs: () => runs,
    failAfter(next) {
      incident = next;
    },
  };
}

/** What a gateway does with the requests that it lets through. */
export function forwardTo(origin: string): (request: ReceivedRequest) => Promise<Answer> {
  return async ({ url, headers, body }) => {
    const { authorization = '', 'content-type': type = '' } = headers;
    const answer = await fetch(origin + url, {
      method: 'POST',
      headers: { authorization, 'content-type': type },
      body: Uint8Array.from(body),
    });
    return {
      status: answer.status,
      headers: { 'content-type': answer.headers.get('content-type') ?? '' },
      body: new Uint8Array(await answer.arrayBuffer()),
    };
  };
}
