import assert from 'node:assert/strict';
import express from 'express';
import { createStatusReader, HOUR_MS, listen, passTime, startServers, tell } from '../scenery.ts';
import { createBackEnd } from './back-end.ts';
import { openBrowser } from './browser.ts';
import { createPageClient } from './page.ts';

const clientId = 'shop';
const clientSecret = 'loopback-secret';
await using servers = await startServers({ authorizationServer: { clients: [{ clientId, clientSecret }] } });
const { apiServer, authorizationServer } = servers;
const { exchanges, issuer } = authorizationServer;
const statuses = createStatusReader(apiServer);

const app = express();
const backEnd = createBackEnd({ apiUrl: apiServer.origin, issuer, clientId, clientSecret });
app.use(backEnd.router);
app.post('/auth/callback', async (_request, response) => {
  backEnd.signIn(response, await authorizationServer.signIn());
  response.end();
});
await using site = await listen(app);

const browser = openBrowser(site.origin);
let signInsNeeded = 0;
const openTab = (): typeof fetch =>
  createPageClient({ apiUrl: apiServer.origin, onSignInNeeded: () => (signInsNeeded += 1) }).authFetch;
const things = `${apiServer.origin}/things`;

await assert.rejects(openTab()(things), { code: 'ERR_REAUTHENTICATION_REQUIRED' });
assert.equal(signInsNeeded, 1);
await fetch('/auth/callback', { method: 'POST' });
const [cookie] = [...browser.cookies.values()];
for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/;']) {
  assert.ok(cookie?.includes(attribute));
}
tell('nobody signed in: the page is told; then a cookie that scripts cannot read');

const tabs = [openTab(), openTab()];
const loadAll = async (): Promise<void> => {
  const responses = await Promise.all(tabs.flatMap((tab) => [tab(things), tab(things)]));
  for (const response of responses) assert.equal(response.status, 200);
};
await loadAll();
assert.equal(exchanges.length, 0);
passTime(2 * HOUR_MS);
await loadAll();
assert.equal(exchanges.length, 1);
assert.deepEqual(statuses(), Array(8).fill(200));
tell('two tabs, and an expiry: 1 refresh for both, no 401');

authorizationServer.revokeAccessTokens();
await loadAll();
assert.equal(exchanges.length, 2);
assert.equal(statuses().filter((status) => status === 200).length, 4);
assert.deepEqual(authorizationServer.reuses, []);
tell('revoked: 1 refresh for both, each 401 cured by a replay');

passTime(2 * HOUR_MS);
authorizationServer.always({ respond: { status: 502, body: '<html>' } });
const unavailable = await fetch('/auth/refresh', { method: 'POST' });
assert.equal(unavailable.status, 503);
assert.ok(unavailable.headers.has('Retry-After'));
authorizationServer.always(undefined);
await loadAll();
tell('an outage: told as one, and nothing of the sign-in is lost');

await fetch('/auth/sign-out', { method: 'POST' });
assert.equal(authorizationServer.revocations.length, 1);
passTime(2 * HOUR_MS);
await assert.rejects(tabs[0]!(things), { code: 'ERR_REAUTHENTICATION_REQUIRED' });
tell('signed out: the refresh token is revoked, the page is told');
