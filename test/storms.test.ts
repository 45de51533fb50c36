import { describe, expect, test } from '@jest/globals';
import { ALL, type ClientName } from './clients.ts';
import { each, endingsOf, lines, newest, openExpiredScene, openScene } from './scene.ts';

const GROUPS: readonly (readonly [string, readonly ClientName[]])[] = [
  ['ky', ['ky']],
  ['got', ['got']],
  ['all clients at once', ALL],
];

const held = { hold: 'answer' } as const;

describe.each(GROUPS)('through %s', (_, clients) => {
  test('1,000 requests on an expired access token cost one exchange, and all carry the new one', async () => {
    const scene = await openExpiredScene({ clients });
    const { authorization, send } = scene;

    const outcomes = await send(1000);

    expect(endingsOf(outcomes)).toEqual(each(1000, 200, clients));
    expect(authorization.exchanges).toHaveLength(1);
    expect(authorization.reuses).toEqual([]);
    expect(lines(scene, 0)).toEqual({ [newest(scene)]: 1000 });
  });

  test('1,000 requests on a revoked access token cost one exchange, and each attempt carries the newest', async () => {
    const scene = await openScene({ clients });
    const { api, authorization, first, send } = scene;
    authorization.revokeAccessTokens();
    api.next(...Array.from({ length: 1000 }, () => held));
    const sending = send(1000);
    await api.requestArrived(1000);

    api.release();

    expect(endingsOf(await sending)).toEqual(each(1000, 200, clients));
    expect(authorization.exchanges).toHaveLength(1);
    expect(authorization.reuses).toEqual([]);
    // No newer one was there when the first 1,000 were sent.
    expect(lines(scene, 0, 1000)).toEqual({ [`Bearer ${first.access_token}`]: 1000 });
    expect(lines(scene, 1000)).toEqual({ [newest(scene)]: 1000 });
  });

  test('late 401s for an older access token cost no exchange', async () => {
    const scene = await openScene({ clients });
    const { api, authorization, send } = scene;
    const count = clients.length;
    authorization.revokeAccessTokens();
    api.next(...clients.map(() => held));
    const late = send(count);
    await api.requestArrived(count);
    await send(count);
    expect(authorization.exchanges).toHaveLength(1);

    api.release();

    expect(endingsOf(await late)).toEqual(each(count, 200, clients));
    expect(authorization.exchanges).toHaveLength(1);
    expect(api.requests.filter(({ status }) => status === 401).length).toBeGreaterThan(count);
    expect(lines(scene, -count)).toEqual({ [newest(scene)]: count });
  });
});
