import { expect, test } from '@jest/globals';
import type { TokenSource } from '@unexpired/core';
import { ALL } from './clients.ts';
import { each, endingsOf, openScene, type Outcome, type Scene } from './scene.ts';

const ACCOUNTS = ['ann', 'bob', 'eve'];

interface Office extends Scene {
  /** One request of each account through each client, all at once. */
  readonly visit: (accounts?: readonly string[]) => Promise<Outcome[]>;
  readonly refreshTokenOf: (account: string) => string;
  /** Requests that did not carry a token of the account in their path. */
  readonly mixedUp: () => string[];
}

/** Every account has a source of its own; all share the clients. */
async function openOffice(): Promise<Office> {
  const sources = new Map<string | undefined, TokenSource>();
  const scene = await openScene({ resolver: async ({ account }) => sources.get(account) });
  const { authorization, api, sendBy, createSource } = scene;
  const owners = new Map<string | undefined, string | undefined>();
  const refreshTokens = new Map<string, string>();
  for (const account of ACCOUNTS) {
    const tokens = await authorization.signIn({ account });
    owners.set(tokens.access_token, account);
    refreshTokens.set(account, tokens.refresh_token);
    sources.set(account, createSource({ account, tokens }));
  }
  return {
    ...scene,
    visit: (accounts = ACCOUNTS) =>
      Promise.all(
        accounts.flatMap((account) =>
          ALL.map((client) => sendBy(client, { account, url: `${api.origin}/${account}/${client}` })),
        ),
      ),
    refreshTokenOf: (account) => refreshTokens.get(account)!,
    mixedUp() {
      for (const { issued, presentation } of authorization.exchanges)
        owners.set(issued?.access_token, presentation?.account);
      return api.requests
        .filter(({ url, bearerToken }) => owners.get(bearerToken) !== url.split('/')[1])
        .map(({ url, bearerToken }) => `${url} with a token of ${owners.get(bearerToken)}`);
    },
  };
}

test('no request of one account carries a token of another, whichever client sends it', async () => {
  const { authorization, visit, mixedUp } = await openOffice();

  const outcomes = await visit();
  authorization.revokeAccessTokens('ann');
  outcomes.push(...(await visit()));
  authorization.revokeAccessTokens();
  outcomes.push(...(await visit()));

  expect(endingsOf(outcomes)).toEqual(each(36, 200));
  expect(mixedUp()).toEqual([]);
  expect(authorization.exchanges).toHaveLength(4);
});

test('requests of an account go on while another account waits for its refresh', async () => {
  const { authorization, visit, mixedUp } = await openOffice();
  authorization.revokeAccessTokens('ann');
  authorization.next({ hold: 'answer' });
  const waiting = visit(['ann']);
  await authorization.requestArrived();

  expect(endingsOf(await visit(['bob', 'eve']))).toEqual(each(8, 200));

  expect(authorization.held).toBe(1);
  authorization.release();
  expect(endingsOf(await waiting)).toEqual(each(4, 200));
  expect(mixedUp()).toEqual([]);
});

test('the dead grant of one account leaves the others theirs', async () => {
  const { authorization, visit, refreshTokenOf, mixedUp } = await openOffice();
  authorization.revokeGrant(refreshTokenOf('ann'));
  authorization.revokeAccessTokens();

  const [ann, others] = await Promise.all([visit(['ann']), visit(['bob', 'eve'])]);

  expect(endingsOf(ann)).toEqual(each(4, 401));
  expect(endingsOf(others)).toEqual(each(8, 200));
  expect(endingsOf(await visit(['ann']))).toEqual(each(4, 'ERR_REAUTHENTICATION_REQUIRED'));
  expect(endingsOf(await visit(['bob', 'eve']))).toEqual(each(8, 200));
  expect(authorization.exchanges).toHaveLength(3);
  expect(mixedUp()).toEqual([]);
});
