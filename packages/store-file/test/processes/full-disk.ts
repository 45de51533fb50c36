// On a small file system of its own: what happens when it is full, or read-only, before or during a refresh.
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createTokenSource, type TokenResponse } from '@unexpired/core';
import { createFileStore } from '../../src/index.ts';

const [directory, tokenEndpoint, given, when] = process.argv.slice(2) as [string, string, string, string];
const path = join(directory, 'credentials.json');
const filler = join(directory, 'filler');

function spoil(): void {
  if (when === 'read-only') {
    execFileSync('mount', ['-o', 'remount,ro', directory]);
    return;
  }
  try {
    for (;;) appendFileSync(filler, Buffer.alloc(512));
  } catch {
    // Full.
  }
}

const tokens = createTokenSource({
  origins: ['https://api.example.com'],
  async refresh({ refreshToken = '' }) {
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
    const answer = (await (await fetch(tokenEndpoint, { method: 'POST', body })).json()) as TokenResponse;
    if (when === 'at-commit') spoil();
    return answer;
  },
  store: createFileStore({ path }),
});
await tokens.signIn({ ...(JSON.parse(given) as TokenResponse), expires_in: 0 });
const before = readFileSync(path, 'utf8');
if (when !== 'at-commit') spoil();

const taken = await tokens
  .getAccessToken()
  .catch(({ code, message }: { code?: string; message: string }) => ({ code, message }));
const durability = tokens.status().durability;
const stayed = when === 'at-commit' || readFileSync(path, 'utf8') === before;
if (when === 'read-only') execFileSync('mount', ['-o', 'remount,rw', directory]);
rmSync(filler, { force: true });
await tokens.flush();
const stored = JSON.parse(readFileSync(path, 'utf8')) as {
  accounts: { default: { tokens: TokenResponse } };
};
process.stdout.write(
  `${JSON.stringify({ taken, durability, stayed, after: tokens.status().durability, stored: stored.accounts.default.tokens.refresh_token })}\n`,
);
process.exit();
