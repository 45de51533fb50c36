import assert from 'node:assert/strict';
import { createTokenSource } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { ClientError, gql } from 'graphql-request';
import { createStatusReader, startServers, tell, tellClientStory } from '../scenery.ts';
import { createGraphQLClient } from './client.ts';

const REPORTS = gql`
  query Reports {
    reports
  }
`;
const ADD = gql`
  mutation Add($title: String!) {
    add(title: $title)
  }
`;

await using servers = await startServers({ apiServer: { respond: { body: { data: { reports: [] } } } } });
const { apiServer, authorizationServer } = servers;
const tokens = createTokenSource({
  origins: [apiServer.origin],
  refresh: refreshTokenGrant({ issuer: authorizationServer.issuer, clientId: 'reports' }),
});
const client = createGraphQLClient(`${apiServer.origin}/graphql`, tokens);

await tellClientStory({
  ...servers,
  tokens,
  call: () => client.request(REPORTS),
  isSignInNeeded: (error) => {
    if (error instanceof ClientError) return tokens.status().health === 'signed-out';
    return (error as { readonly code?: unknown }).code === 'ERR_REAUTHENTICATION_REQUIRED';
  },
});

const statuses = createStatusReader(apiServer);
statuses();
authorizationServer.revokeAccessTokens();
await client.request(ADD, { title: 'June' });
assert.deepEqual(statuses(), [401, 200]);
const [refused, replayed] = apiServer.requests.slice(-2);
assert.deepEqual(JSON.parse(String(replayed?.body)).variables, { title: 'June' });
assert.equal(refused?.sha256, replayed?.sha256);
tell('revoked: a mutation is sent again once, with identical bytes');
