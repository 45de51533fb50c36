import { createTokenSource } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { isAxiosError } from 'axios';
import { tellRetryStory } from '../retry-story.ts';
import { startServers, tellClientStory } from '../scenery.ts';
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
  isSignInNeeded: () => tokens.status().health === 'signed-out',
});
await tellRetryStory({
  ...servers,
  tokens,
  put: async () => (await api.put('/reports/6', { title: 'June' })).data,
  statusOf: (error) => isAxiosError(error) && error.response?.status,
});
