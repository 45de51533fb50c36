// A cluster whose primary has used its token source before it forks: each worker asks for the access token at once.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createTokenSource } from '@unexpired/core';
import { createFileStore } from '@unexpired/store-file';

const [path, tokenEndpoint, refreshToken] = process.argv.slice(2) as [string, string, string];

let exchanges = 0;
const source = createTokenSource({
  origins: ['https://api.example.com'],
  refresh({ refreshToken: spent = '' }) {
    exchanges += 1;
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: spent });
    return fetch(tokenEndpoint, { method: 'POST', body });
  },
  store: createFileStore({ path }),
});

const ask = (): Promise<string[]> => Promise.all([1, 2, 3].map(() => source.getAccessToken()));

if (cluster.isPrimary) {
  await source.signIn({ access_token: 'expired', refresh_token: refreshToken, expires_in: 0 });
  const workers = [1, 2, 3].map(() => cluster.fork());
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const told = workers.map(async (worker) => (await once(worker, 'message'))[0] as { tokens: string[] });
  for (const worker of workers) worker.send('ask');
  const results = [...(await Promise.all(told)), { tokens: await ask(), exchanges }];
  process.stdout.write(JSON.stringify(results));
} else {
  process.once('message', () => {
    void ask().then((tokens) => process.send!({ tokens, exchanges }, () => process.disconnect()));
  });
  process.send!('ready');
}
