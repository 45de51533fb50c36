// Takes an access token and exits at once, as a command-line tool does, or stays idle with its subscription.
import { createTokenSource } from '@unexpired/core';
import { createFileStore } from '../../src/index.ts';

const [path, tokenEndpoint, how] = process.argv.slice(2);
const tokens = createTokenSource({
  origins: ['https://api.example.com'],
  refresh: ({ refreshToken = '', signal }) =>
    fetch(tokenEndpoint!, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
      signal,
    }),
  store: createFileStore({ path: path! }),
});
try {
  process.stdout.write(`${await tokens.getAccessToken()}\n`);
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  process.stdout.write(`${JSON.stringify({ code, message })}\n`);
}
if (how === 'exit') process.exit();
