// A program that used a due token and has nothing left to do, while its refresh gets nowhere.
import { createTokenSource } from '@unexpired/core';

let started = false;
const [kind] = process.argv.slice(2);
const source = createTokenSource({
  origins: ['https://api.example.com'],
  tokens: { access_token: 'a', refresh_token: 'r', expires_in: 3600 },
  timing: { ttlThresholdMs: 1_800_000, leewayMs: 0 },
  // The token is due in half an hour; a clock that is ahead makes it due now.
  clock: {
    now: () => Date.now() + (started ? 1_900_000 : 0),
    monotonic: () => performance.now(),
    setTimer(callback, ms, keepAlive) {
      const timer = setTimeout(callback, ms);
      if (keepAlive !== true) timer.unref();
      return () => clearTimeout(timer);
    },
  },
  refresh: async () => {
    if (kind === 'hanging') return new Promise<never>(() => undefined);
    return new Response('', { status: 429, headers: { 'Retry-After': kind === 'retrying' ? '4' : '600' } });
  },
});
await source.getAccessToken();
started = true;
await source.getAccessToken();
await new Promise(setImmediate);
console.log(JSON.stringify(source.status()));
