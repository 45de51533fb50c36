import assert from 'node:assert/strict';
import { createTokenSource } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import type { ReceivedRequest } from '@unexpired/testing';
import { createStatusReader, HOUR_MS, passTime, startServers, tell } from '../scenery.ts';
import { createGraphQLClient, GraphQLError } from './client.ts';

const refusal = {
  body: { data: null, errors: [{ message: 'Sign in first', extensions: { code: 'UNAUTHENTICATED' } }] },
};

function answer({ body }: ReceivedRequest): object {
  const { query } = JSON.parse(body.toString()) as { query: string };
  return query.includes('viewer')
    ? { body: { data: { viewer: 'ann' } } }
    : { body: { data: { name: null }, errors: [{ message: 'No such field' }] } };
}

await using servers = await startServers({ apiServer: { respond: answer } });
const { apiServer, authorizationServer } = servers;
const statuses = createStatusReader(apiServer);
await using tokens = createTokenSource({
  origins: [apiServer.origin],
  refresh: refreshTokenGrant({ issuer: authorizationServer.issuer, clientId: 'viewer' }),
  tokens: await authorizationServer.signIn(),
});
const execute = createGraphQLClient(`${apiServer.origin}/graphql`, tokens);
const viewer = (): Promise<unknown> => execute('query { viewer }');

passTime(2 * HOUR_MS);
assert.deepEqual(await Promise.all([viewer(), viewer(), viewer()]), Array(3).fill({ viewer: 'ann' }));
assert.equal(authorizationServer.exchanges.length, 1);
assert.deepEqual(statuses(), [200, 200, 200]);
tell('expired: 3 queries, 1 refresh, none refused');

authorizationServer.revokeAccessTokens();
assert.deepEqual(await viewer(), { viewer: 'ann' });
assert.equal(authorizationServer.exchanges.length, 2);
assert.deepEqual(statuses(), [401, 200]);

// The next server in line refuses within a 200.
apiServer.next({ respond: refusal });
assert.deepEqual(await viewer(), { viewer: 'ann' });
assert.equal(authorizationServer.exchanges.length, 3);
assert.deepEqual(statuses(), [200, 200]);
const [refused, replayed] = apiServer.requests.slice(-2);
assert.notEqual(refused?.bearerToken, replayed?.bearerToken);
assert.equal(refused?.sha256, replayed?.sha256);
tell('refused by a 401, and by errors within a 200: 1 refresh and 1 replay each');

// `pay` was carried out and `ship` was refused, whose null went up to `data`: sent again, it would be paid twice.
const [error] = refusal.body.errors;
for (const data of [null, { pay: 'done', ship: null }]) {
  apiServer.next({ respond: { body: { data, errors: [{ ...error, path: ['ship'] }] } } });
  await assert.rejects(execute('mutation { pay ship }'), { name: 'GraphQLError', data });
  assert.deepEqual(statuses(), [200]);
}
await assert.rejects(execute('query { name }'), (error) => {
  assert.ok(error instanceof GraphQLError);
  assert.equal(error.message, 'No such field');
  return true;
});
assert.equal(authorizationServer.exchanges.length, 3);
tell('other errors within a 200 reach the caller, without a refresh');
