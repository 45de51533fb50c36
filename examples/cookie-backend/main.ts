import assert from 'node:assert/strict';
import express from 'express';
import { createStatusReader, HOUR_MS, listen, passTime, startServers, tell } from '../scenery.ts';
import { createBackEnd, setRefreshToken } from './back-end.ts';
import { openBrowser } from './browser.ts';
import { createPageFetch } from './page.ts';

const clientId = 'shop';
const clientSecret = 'loopback-secret';
await using servers = await startServers({ authorizationServer: { clients: [{ clientId, clientSecret }] } });
const { apiServer, authorizationServer } = servers;
const { exchanges, tokenEndpoint } = authorizationServer;
const statuses = createStatusReader(apiServer);

const app = express();
app.use(createBackEnd({ tokenEndpoint, clientId, clientSecret }));
app.post('/auth/callback', async (_request, response) => {
  setRefreshToken(response, (await authorizationServer.signIn()).refresh_token);
  response.end();
});
await using site = await listen(app);

const browser = openBrowser(site.origin);
let signInsNeeded = 0;
const openTab = (): typeof fetch =>
  createPageFetch({ apiUrl: apiServer.origin, onSignInNeeded: () => (signInsNeeded += 1) });
const things = `${apiServer.origin}/things`;

await assert.rejects(openTab()(things), { code: 'ERR_REAUTHENTICATION_REQUIRED' });
assert.equal(signInsNeeded, 1);
await fetch('/auth/callback', { method: 'POST' });
const [cookie] = [...browser.cookies.values()];
for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/auth']) {
  assert.ok(cookie?.includes(attribute));
}
tell('nobody signed in: the page is told; then a cookie that scripts cannot read');

const tabs = [openTab(), openTab()];
const loadAll = async (): Promise<void> => {
  const responses = await Promise.all(tabs.flatMap((tab) => [tab(things), tab(things)]));
  for (const response of responses) assert.equal(response.status, 200);
};
await loadAll();
assert.equal(exchanges.length, 1);
passTime(2 * HOUR_MS);
await loadAll();
assert.equal(exchanges.length, 2);
assert.deepEqual(statuses(), Array(8).fill(200));
tell('two tabs at first, and after an expiry: 1 refresh for both, no 401');

authorizationServer.revokeAccessTokens();
const { status } = await tabs[0]!(things);
assert.equal(status, 200);
assert.equal(exchanges.length, 3);
assert.deepEqual(statuses(), [401, 200]);
assert.deepEqual(authorizationServer.reuses, []);
tell('revoked: 1 refresh, the 401 cured by a replay');
