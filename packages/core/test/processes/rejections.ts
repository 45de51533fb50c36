// Everything that fails with nobody waiting for it. An unhandled rejection ends a process with exit code 1.
import { createTokenSource, type RefreshFunction, type TokenStore } from '@unexpired/core';

const failing: RefreshFunction[] = [
  () => {
    throw new Error('thrown');
  },
  () => Promise.reject(new Error('rejected')),
  () => new Response('', { status: 401 }),
  () => ({}),
];
const fail = (): never => {
  throw new Error('broken');
};
const stores: (TokenStore | undefined)[] = [
  undefined,
  { read: fail, write: fail, runExclusive: fail, subscribe: () => undefined },
  { read: () => undefined, write: fail, runExclusive: fail, subscribe: () => undefined },
];

for (const refresh of failing) {
  for (const store of stores) {
    const source = createTokenSource({
      origins: ['https://api.example.com'],
      store,
      refresh,
      tokens: { access_token: 'a', refresh_token: 'r' },
      random: () => 0,
      onEvent: fail,
      revoke: fail,
    });
    const leaving = new AbortController();
    const left = source.getAccessToken({ signal: leaving.signal, minTtlMs: 1000 }).catch(() => undefined);
    leaving.abort();
    await left;
    const authorization = await (async () =>
      source.authorize({ url: 'https://api.example.com/', method: 'GET' }))().catch(() => undefined);
    if (authorization !== undefined) {
      await source.reauthorize(
        authorization,
        { url: undefined, status: 401, header: () => undefined },
        { replayable: false },
      );
    }
    await source.signOut().catch(() => undefined);
    await source.close();
  }
}
console.log('ended');
