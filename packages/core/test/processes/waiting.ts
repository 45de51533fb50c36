// A program whose only work is a caller that waits in a back-off of a second, the shortest that a server can ask for.
import { createTokenSource } from '@unexpired/core';

let calls = 0;
const source = createTokenSource({
  origins: ['https://api.example.com'],
  tokens: { refresh_token: 'r' },
  random: () => 0,
  refresh: () => {
    calls += 1;
    if (calls > 1) return { access_token: 'a', expires_in: 3600 };
    return new Response('', { status: 429, headers: { 'Retry-After': '1' } });
  },
});
console.log(await source.getAccessToken());
