import assert from 'node:assert/strict';
import { createTokenSource } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { isAxiosError } from 'axios';
import { isSignInNeeded } from '../axios/client.ts';
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
  call: async () => (await api.get('/reports')).data,
  isSignInNeeded,
});

const statuses = createStatusReader(apiServer);
statuses();
const post = () => api.post('/reports', { title: 'June' });
authorizationServer.revokeAccessTokens();
assert.deepEqual((await post()).data, { reports: [] });
assert.deepEqual(statuses(), [401, 200]);
apiServer.next({ reset: 'request' });
await assert.rejects(post(), { code: 'ECONNRESET' });
assert.deepEqual(statuses(), [undefined]);
tell('a POST: replayed after a 401, but sent once where its connection breaks');

await tellRetryStory({
  ...servers,
  tokens,
  put: async () => (await api.put('/reports/6', { title: 'June' })).data,
  statusOf: (error) => isAxiosError(error) && error.response?.status,
});
