// A program that closes its source while a background refresh waits for its next attempt.
import { createTokenSource } from '@unexpired/core';

let calls = 0;
const source = createTokenSource({
  origins: ['https://api.example.com'],
  tokens: { access_token: 'a', refresh_token: 'r' },
  refresh: () => {
    calls += 1;
    if (calls > 1) return { access_token: 'b', refresh_token: 's', expires_in: 3600 };
    return new Response('', { status: 429, headers: { 'Retry-After': '1' } });
  },
});
const authorization = await source.authorize({ url: 'https://api.example.com/', method: 'GET' });
await source.reauthorize(
  authorization!,
  { url: undefined, status: 401, header: () => undefined },
  { replayable: false },
);
await new Promise(setImmediate);
await source[process.argv[2] as 'flush' | 'close' | 'signOut']();
console.log('ended', calls);
