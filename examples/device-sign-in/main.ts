import assert from 'node:assert/strict';
import { createResourceServer } from '@unexpired/testing';
import { createStatusReader, HOUR_MS, passTime, tell } from '../scenery.ts';
import { approve } from './person.ts';
import { startProvider } from './provider.ts';
import { createTool } from './tool.ts';

const clientId = 'reports-cli';
const scope = 'reports offline_access';
await using provider = await startProvider(clientId, scope);
await using apiServer = await createResourceServer({
  accepts: () => true,
  respond: async ({ bearerToken }) =>
    (await provider.isAccessTokenValid(bearerToken)) ? { body: { reports: [] } } : { status: 401 },
});
const statuses = createStatusReader(apiServer);
const lastToken = (): string => apiServer.requests.at(-1)!.bearerToken!;
const granted = (): number => provider.outcomes.filter((outcome) => outcome === 'granted').length;

const approvals: Promise<string>[] = [];
const tool = createTool({
  apiUrl: apiServer.origin,
  issuer: provider.issuer,
  clientId,
  scope,
  prompt({ verification_uri: url, verification_uri_complete: complete, user_code: code }) {
    tell(`open ${url} and enter ${code}`);
    // Somebody who takes a while: the tool has asked once by then.
    approvals.push(provider.nextOutcome().then(() => approve(complete!)));
  },
});
const run = async (): Promise<void> => assert.deepEqual(await tool.listReports(), { reports: [] });

await run();
assert.equal(await approvals[0], 'Signed in');
assert.equal(provider.outcomes[0], 'authorization_pending');
assert.equal(granted(), 1);
passTime(2 * HOUR_MS);
await run();
assert.equal(granted(), 2);
assert.deepEqual(statuses(), [200, 200]);
await provider.revokeAccessToken(lastToken());
await run();
assert.equal(granted(), 3);
assert.deepEqual(statuses(), [401, 200]);
assert.equal(approvals.length, 1);
tell('signed in once; an expiry and a revocation cost one refresh each');

await provider.revokeGrantOf(lastToken());
await assert.rejects(tool.listReports(), { code: 'ERR_REAUTHENTICATION_REQUIRED' });
await run();
assert.equal(approvals.length, 2);
tell('grant ended: the next command asks for a sign-in');
