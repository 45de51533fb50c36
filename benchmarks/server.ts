// An API and its token endpoint, in a process of their own; told by messages how to behave, and asked what they saw.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TokenResponse } from '@unexpired/core';
import { STATIC_TOKEN, tokensFor } from './place.ts';

export interface Behaviour {
  readonly expiresInSeconds: number;
  /** How long an exchange takes. */
  readonly exchangeMs: number;
}

/** Since the last behaviour was told. */
export interface Seen {
  readonly origin: string;
  readonly exchanges: number;
  readonly refused: number;
}

let behaviour: Behaviour = { expiresInSeconds: 3600, exchangeMs: 0 };
let exchanges = 0;
let refused = 0;
const expiries = new Map<string, number>();

function tokens(): TokenResponse {
  const issued = tokensFor(behaviour.expiresInSeconds);
  expiries.set(issued.access_token, Date.now() + behaviour.expiresInSeconds * 1000);
  return issued;
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length }).end(text);
}

function exchange(response: ServerResponse): void {
  exchanges += 1;
  setTimeout(() => answer(response, 200, tokens()), behaviour.exchangeMs);
}

function isGood(authorization = ''): boolean {
  const token = authorization.slice('Bearer '.length);
  return token === STATIC_TOKEN || (expiries.get(token) ?? 0) > Date.now();
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  request.on('end', () => {
    if (request.url === '/token') return exchange(response);
    const good = isGood(request.headers.authorization);
    if (!good) refused += 1;
    answer(response, good ? 200 : 401, { good });
  });
}

const server = createServer({ keepAliveTimeout: 60_000 }, serve);
server.listen(0, '127.0.0.1', 1024, () => {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.on('message', (told: Behaviour | 'report') => {
    if (told === 'report') {
      process.send!({ origin, exchanges, refused } satisfies Seen);
      return;
    }
    behaviour = told;
    exchanges = 0;
    refused = 0;
    expiries.clear();
    process.send!(tokens());
  });
  process.on('disconnect', () => process.exit());
  process.send!(origin);
});
