import { createTokenSource } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { isHTTPError } from 'ky';
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
  call: () => api.get('reports').json(),
  isSignInNeeded: () => tokens.status().health === 'signed-out',
});
await tellRetryStory({
  ...servers,
  tokens,
  put: () => api.put('reports/6', { json: { title: 'June' } }).json(),
  statusOf: (error) => isHTTPError(error) && error.response.status,
});
