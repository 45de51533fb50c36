import { AccessTokenError } from '@unexpired/core';
import { startServers, tellClientStory } from '../scenery.ts';
import { createClient } from './client.ts';

await using servers = await startServers({ apiServer: { respond: { body: { reports: [] } } } });
const { apiServer, authorizationServer } = servers;
const { getJson, tokens } = createClient({
  apiUrl: apiServer.origin,
  issuer: authorizationServer.issuer,
  clientId: 'reports-cli',
});

await tellClientStory({
  ...servers,
  tokens,
  call: () => getJson('/reports'),
  isSignInNeeded: (error) =>
    error instanceof AccessTokenError && error.code === 'ERR_REAUTHENTICATION_REQUIRED',
});
