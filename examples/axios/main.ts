import { startServers, tellClientStory } from '../scenery.ts';
import { createClient, isSignInNeeded } from './client.ts';

await using servers = await startServers({ apiServer: { respond: { body: { reports: [] } } } });
const { apiServer, authorizationServer } = servers;
const { api, tokens } = createClient({
  apiUrl: apiServer.origin,
  issuer: authorizationServer.issuer,
  clientId: 'reports-cli',
});

const call = async (): Promise<unknown> => (await api.get('/reports')).data;
await tellClientStory({ ...servers, tokens, call, isSignInNeeded });
