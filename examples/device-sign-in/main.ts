import assert from 'node:assert/strict';
import { createResourceServer } from '@unexpired/testing';
import { createStatusReader, HOUR_MS, passTime, tell } from '../scenery.ts';
import { visit } from './person.ts';
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

const visits: Promise<string>[] = [];
let choice: 'confirm' | 'abort' = 'confirm';
const tool = createTool({
  apiUrl: apiServer.origin,
  issuer: provider.issuer,
  clientId,
  scope,
  prompt({ url, code, urlWithCode }) {
    tell(`open ${url} and enter ${code}`);
    // Somebody who takes a while: the tool has asked once by then.
    visits.push(provider.nextOutcome().then(() => visit(urlWithCode!, choice)));
  },
});
const run = async (): Promise<void> => assert.deepEqual(await tool.listReports(), { reports: [] });

await run();
assert.equal(await visits[0], 'Signed in');
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
assert.equal(visits.length, 1);
tell('signed in once; an expiry and a revocation cost one refresh each');

await provider.revokeGrantOf(lastToken());
await assert.rejects(tool.listReports(), { code: 'ERR_REAUTHENTICATION_REQUIRED' });
choice = 'abort';
await assert.rejects(tool.listReports(), /access_denied/);
choice = 'confirm';
await run();
assert.equal(visits.length, 3);
tell('grant ended: the next command asks for a sign-in, which may be declined');
