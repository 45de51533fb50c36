// A stubbed API and its token endpoint, for crowds of requests; in a process of its own.
import type { TokenResponse } from '@unexpired/core';
import { stubNetwork, type Asked, type Reply } from './network-stub.ts';
import { tokensFor, type Place } from './place.ts';

const PLACE: Place = { api: 'https://api.example.com', tokenEndpoint: 'https://id.example.com/token' };

/** Lets those who wait go on, all or one. */
export class Hold {
  #waiting: (() => void)[] = [];
  isShut = false;

  get waiting(): number {
    return this.#waiting.length;
  }

  pass(): Promise<void> | undefined {
    return this.isShut ? new Promise((resolve) => this.#waiting.push(resolve)) : undefined;
  }

  release(count = Number.POSITIVE_INFINITY): void {
    for (const go of this.#waiting.splice(0, count)) go();
  }
}

export const crowd = {
  ...PLACE,
  url: `${PLACE.api}/items`,
  exchangeMs: 0,
  exchanges: 0,
  /** Of the API, and of the token endpoint. */
  apiHold: new Hold(),
  tokenHold: new Hold(),
  good: new Set<string>(),
  /** A token response; an expired one where the lifetime is not above zero. */
  tokens(expiresInSeconds = 3600): TokenResponse {
    const tokens = tokensFor(expiresInSeconds);
    if (expiresInSeconds > 0) crowd.good.add(`Bearer ${tokens.access_token}`);
    return tokens;
  },
};

async function exchange(): Promise<Reply> {
  crowd.exchanges += 1;
  await crowd.tokenHold.pass();
  await new Promise((resolve) => setTimeout(resolve, crowd.exchangeMs));
  return { status: 200, body: JSON.stringify(crowd.tokens()) };
}

async function api({ authorization = '' }: Asked): Promise<Reply> {
  await crowd.apiHold.pass();
  return { status: crowd.good.has(authorization) ? 200 : 401 };
}

stubNetwork((asked) => (asked.url === PLACE.tokenEndpoint ? exchange() : api(asked)));
