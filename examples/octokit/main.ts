import assert from 'node:assert/strict';
import { createTokenSource } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { createStatusReader, startServers, tell, tellClientStory } from '../scenery.ts';
import { createOctokit } from './client.ts';

await using servers = await startServers({ apiServer: { respond: { body: { reports: [] } } } });
const { apiServer, authorizationServer } = servers;
const tokens = createTokenSource({
  origins: [apiServer.origin],
  refresh: refreshTokenGrant({ issuer: authorizationServer.issuer, clientId: 'bot' }),
});
const octokit = createOctokit(apiServer.origin, tokens);

await tellClientStory({
  ...servers,
  tokens,
  call: async () => (await octokit.request('GET /reports')).data,
  isSignInNeeded: (error) => {
    const { status, code } = error as { readonly status?: number; readonly code?: string };
    return status === 401
      ? tokens.status().health === 'signed-out'
      : code === 'ERR_REAUTHENTICATION_REQUIRED';
  },
});

const { exchanges } = authorizationServer;
const statuses = createStatusReader(apiServer);
statuses();
const issue = { owner: 'ann', repo: 'reports', title: 'June' };
authorizationServer.revokeAccessTokens();
await octokit.rest.issues.create(issue);
assert.deepEqual(statuses(), [401, 200]);
const [refused, replayed] = apiServer.requests.slice(-2);
assert.equal(replayed?.body.toString(), '{"title":"June"}');
assert.equal(refused?.sha256, replayed.sha256);
tell('revoked: a POST is sent again once, with identical bytes');

// The retry plugin repeats a 503; the token of the first attempt is revoked by then.
const before = exchanges.length;
apiServer.next({
  respond: () => {
    authorizationServer.revokeAccessTokens();
    return { status: 503 };
  },
});
await octokit.rest.issues.get({ ...issue, issue_number: 1 });
assert.deepEqual(statuses(), [503, 401, 200]);
assert.equal(exchanges.length, before + 1);

apiServer.next(401, 401);
await assert.rejects(octokit.rest.issues.get({ ...issue, issue_number: 1 }), { status: 401 });
assert.deepEqual(statuses(), [401, 401]);
assert.equal(exchanges.length, before + 2);
tell('retried by Octokit: with the token of that moment; a 401 that stays is not repeated');
