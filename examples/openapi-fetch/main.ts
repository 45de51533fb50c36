import assert from 'node:assert/strict';
import { createTokenSource, explain401 } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { createStatusReader, startServers, tell, tellClientStory } from '../scenery.ts';
import { createApi } from './client.ts';

await using servers = await startServers({ apiServer: { respond: { body: { reports: [] } } } });
const { apiServer, authorizationServer } = servers;
const tokens = createTokenSource({
  origins: [apiServer.origin],
  refresh: refreshTokenGrant({ issuer: authorizationServer.issuer, clientId: 'reports' }),
});
const api = createApi(apiServer.origin, tokens);

await tellClientStory({
  ...servers,
  tokens,
  // A 401 is not thrown: openapi-fetch returns it.
  async call() {
    const { data, response } = await api.GET('/reports');
    if (data === undefined) throw explain401(response)?.error ?? new Error(response.statusText);
    return data;
  },
  isSignInNeeded: (error) => (error as { code?: unknown }).code === 'ERR_REAUTHENTICATION_REQUIRED',
});

const statuses = createStatusReader(apiServer);
statuses();
authorizationServer.revokeAccessTokens();
const { data } = await api.POST('/reports', { body: { title: 'June' } });
assert.deepEqual(data, { reports: [] });
assert.deepEqual(statuses(), [401, 200]);
const [refused, replayed] = apiServer.requests.slice(-2);
assert.equal(replayed?.body.toString(), '{"title":"June"}');
assert.equal(refused?.sha256, replayed.sha256);
assert.equal(refused.headers['content-type'], replayed.headers['content-type']);
tell('revoked: a POST is sent again once, with identical bytes');
