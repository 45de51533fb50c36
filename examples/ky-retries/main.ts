import assert from 'node:assert/strict';
import { createTokenSource } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { isHTTPError, isNetworkError } from 'ky';
import { isSignInNeeded } from '../ky/client.ts';
import { tellRetryStory } from '../retry-story.ts';
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
  call: () => api.get('reports').json(),
  isSignInNeeded,
});

const statuses = createStatusReader(apiServer);
statuses();
const post = () => api.post('reports', { json: { title: 'June' } }).json();
authorizationServer.revokeAccessTokens();
assert.deepEqual(await post(), { reports: [] });
assert.deepEqual(statuses(), [401, 200]);
apiServer.next({ reset: 'request' });
await assert.rejects(post(), isNetworkError);
assert.deepEqual(statuses(), [undefined]);
tell('a POST: replayed after a 401, but sent once where its connection breaks');

await tellRetryStory({
  ...servers,
  tokens,
  put: () => api.put('reports/6', { json: { title: 'June' } }).json(),
  statusOf: (error) => isHTTPError(error) && error.response.status,
});
