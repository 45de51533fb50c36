import assert from 'node:assert/strict';
import { createStatusReader, HOUR_MS, passTime, startServers, tell } from '../scenery.ts';
import { createServiceClient } from './client.ts';

const clientId = 'nightly-report';
const clientSecret = 'loopback-secret';
await using servers = await startServers({
  authorizationServer: {
    clients: [{ clientId, clientSecret }],
  },
});
const { apiServer, authorizationServer } = servers;
const statuses = createStatusReader(apiServer);
const { serviceFetch, tokens } = createServiceClient({
  apiUrl: apiServer.origin,
  tokenEndpoint: authorizationServer.tokenEndpoint,
  clientId,
  clientSecret,
  scope: 'reports.read',
});
const callThrice = async (): Promise<void> => {
  const urls = ['/a', '/b', '/c'].map((path) => new URL(path, apiServer.origin));
  const responses = await Promise.all(urls.map((url) => serviceFetch(url)));
  for (const response of responses) assert.equal(response.status, 200);
};

await callThrice();
assert.equal(authorizationServer.exchanges.length, 1);
passTime(2 * HOUR_MS);
await callThrice();
assert.equal(authorizationServer.exchanges.length, 2);
assert.deepEqual(statuses(), [200, 200, 200, 200, 200, 200]);
tell('at first, and after an expiry: 3 requests, 1 token, no 401');

authorizationServer.revokeAccessTokens();
await callThrice();
assert.equal(authorizationServer.exchanges.length, 3);
const answered = statuses();
assert.ok(answered.includes(401));
assert.equal(answered.filter((status) => status === 200).length, 3);
for (const { grantType, parameters } of authorizationServer.exchanges) {
  assert.equal(grantType, 'client_credentials');
  assert.equal(parameters.get('scope'), 'reports.read');
}
tell('revoked: 3 requests, 1 token, each 401 cured by a replay');
await tokens.close();
