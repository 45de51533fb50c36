// Runs one block of a README: with the stub host, with what the block declares as the reader's own, and with each of
// its exports put to use.
import './stub-host.mjs';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createTokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { createFileStore } from '@unexpired/store-file';
import axios from 'axios';

const signedIn = { access_token: 'an-access-token', refresh_token: 'a-refresh-token', expires_in: 3600 };

function createSource(options) {
  const origins = ['https://api.example.com'];
  return createTokenSource({ origins, refresh: () => fetch('https://id.example.com/token'), ...options });
}

const tokens = createSource({ tokens: signedIn });
const baseURL = 'https://api.example.com';
const api = axios.create({ baseURL });
const createYourStore = (folder) => createFileStore({ path: join(folder, 'credentials.json') });

/** What blocks `declare`: to them these are globals. */
Object.assign(globalThis, {
  api,
  createYourClient: fetchAuth,
  createYourStore,
  readBackup: () => new Blob(['backup']).stream(),
  sdk: axios.create({ baseURL, headers: { Authorization: 'Bearer placeholder' } }),
  sources: new Map([['ann', tokens]]),
  tokenResponse: signedIn,
  tokens,
  async callWithYourClient(origin, tokenEndpoint, tokens) {
    const body = ({ refreshToken }) =>
      new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'cli' });
    const refresh = (request) => fetch(tokenEndpoint, { method: 'POST', body: body(request) });
    await fetchAuth(createTokenSource({ origins: [origin], refresh, tokens }))(origin);
  },
});

/** Beside the block, what it reads. */
writeFileSync('backup.tar', 'backup');
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
writeFileSync('client-key.der', privateKey.export({ type: 'pkcs8', format: 'der' }));

const uses = {
  authFetch: (authFetch) => authFetch('https://app.example.com/things'),
  async store(store) {
    const source = createSource({ store });
    await source.signIn(signedIn);
    await source.getAccessToken();
    await source.signOut();
  },
  async tokens(source) {
    await source.signIn(signedIn);
    await source.getAccessToken();
    await source.flush();
  },
};

const [block] = process.argv.slice(2);
const exported = await import(pathToFileURL(resolve(block)));
for (const [name, value] of Object.entries(exported)) await uses[name]?.(value);
// Tests go on after their file was read; all else is over now, whatever connections it left open.
if (!readFileSync(block, 'utf8').includes("'node:test'")) process.exit();
