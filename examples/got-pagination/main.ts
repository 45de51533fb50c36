import assert from 'node:assert/strict';
import { createTokenSource, explain401 } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { createResourceServer, type Answer, type ReceivedRequest } from '@unexpired/testing';
import { createStatusReader, HOUR_MS, passTime, startServers, tell } from '../scenery.ts';
import { createApi, listReports } from './client.ts';

const PAGES = 3;
const ALL = ['report 1', 'report 2', 'report 3'];

function answerPage({ url }: ReceivedRequest): Answer {
  const page = Number(new URL(url, 'http://localhost').searchParams.get('page') ?? 1);
  const next = `<${apiServer.origin}/v1/reports?page=${page + 1}>; rel="next"`;
  return { headers: page < PAGES ? { Link: next } : {}, body: [`report ${page}`] };
}

await using servers = await startServers({ apiServer: { respond: answerPage } });
const { apiServer, authorizationServer } = servers;
const { exchanges } = authorizationServer;
const statuses = createStatusReader(apiServer);
const signedIn = await authorizationServer.signIn();
await using tokens = createTokenSource({
  origins: [apiServer.origin],
  refresh: refreshTokenGrant({ issuer: authorizationServer.issuer, clientId: 'reports' }),
  tokens: signedIn,
});
const api = createApi(`${apiServer.origin}/v1`, tokens);

async function listMeanwhile(meanwhile: () => void): Promise<string[]> {
  const reports: string[] = [];
  for await (const report of listReports(api)) {
    reports.push(report);
    if (reports.length === 1) meanwhile();
  }
  return reports;
}
const usedTokens = (): number => new Set(apiServer.requests.map(({ bearerToken }) => bearerToken)).size;

assert.deepEqual(await listMeanwhile(() => passTime(2 * HOUR_MS)), ALL);
assert.equal(exchanges.length, 1);
assert.deepEqual(statuses(), [200, 200, 200]);
assert.equal(usedTokens(), 2);
tell('expired after the first page: 1 refresh, and the next page has the new token');

assert.deepEqual(await listMeanwhile(() => authorizationServer.revokeAccessTokens()), ALL);
assert.equal(exchanges.length, 2);
assert.deepEqual(statuses(), [200, 401, 200, 200]);
assert.equal(usedTokens(), 3);
tell('revoked after the first page: that page is asked for again once, and none twice');

await using elsewhere = await createResourceServer({ accepts: () => true, respond: { body: ['not ours'] } });
const link = `<${elsewhere.origin}/reports>; rel="next"`;
apiServer.next(() => ({ headers: { Link: link }, body: ['report 1'] }));
assert.deepEqual(await listMeanwhile(() => undefined), ['report 1', 'not ours']);
assert.deepEqual(
  elsewhere.requests.map(({ authorization }) => authorization),
  [[]],
);
tell('a page of another origin: asked for without the token');

authorizationServer.revokeGrant(signedIn.refresh_token);
statuses();
await assert.rejects(
  listMeanwhile(() => undefined),
  (error) => {
    return explain401(error)?.error?.code === 'ERR_REAUTHENTICATION_REQUIRED';
  },
);
assert.deepEqual(statuses(), [401]);
assert.deepEqual(authorizationServer.reuses, []);
tell('grant ended: the caller is told to sign in');
