import assert from 'node:assert/strict';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { createTokenSource } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { createAuthorizationServer } from '@unexpired/testing';
import { HOUR_MS, listen, passTime, tell } from '../scenery.ts';
import { connectTo } from './client.ts';
import { createToolServer, type Seen } from './tool-server.ts';

await using authorizationServer = await createAuthorizationServer();
const { exchanges } = authorizationServer;
const toolServer = await createToolServer(authorizationServer.isAccessTokenValid);
await using site = await listen(toolServer.app);
const { answered, nextStream, dropStream } = toolServer;
const url = `${site.origin}/mcp`;
const signedIn = await authorizationServer.signIn();
await using tokens = createTokenSource({
  origins: [site.origin],
  refresh: refreshTokenGrant({ issuer: authorizationServer.issuer, clientId: 'assistant', resource: url }),
  tokens: signedIn,
});

passTime(2 * HOUR_MS);
const opened = nextStream();
const client = await connectTo(url, tokens);
await opened;
const add = (a: number, b: number): Promise<unknown> => client.callTool({ name: 'add', arguments: { a, b } });
const sum = (text: string) => ({ content: [{ type: 'text', text }] });
assert.deepEqual(await add(1, 2), sum('3'));
assert.equal(exchanges.length, 1);
const started = answered();
assert.deepEqual(
  started.map(({ status }) => status),
  [200, 202, 200, 200],
);
const session = client.transport?.sessionId;
assert.ok(session !== undefined);
assert.deepEqual(
  started.map((request) => request.session),
  [undefined, session, session, session],
);
tell('expired before the start: 1 refresh, then session, event stream and tool call, no 401');

/** What was answered since this was last asked, all of it in the session. */
function inSession(): Seen[] {
  const seen = answered();
  for (const request of seen) assert.equal(request.session, session);
  return seen;
}
const statuses = (): number[] => inSession().map(({ status }) => status);

passTime(2 * HOUR_MS);
assert.deepEqual(await Promise.all([add(2, 2), add(2, 3), add(2, 4)]), [sum('4'), sum('5'), sum('6')]);
assert.equal(exchanges.length, 2);
assert.deepEqual(statuses(), [200, 200, 200]);
tell('expired: 3 tool calls, 1 refresh, no 401');

const runs = toolServer.runs();
authorizationServer.revokeAccessTokens();
assert.deepEqual(await add(3, 4), sum('7'));
assert.equal(exchanges.length, 3);
assert.equal(toolServer.runs(), runs + 1);
assert.deepEqual(statuses(), [401, 200]);
tell('revoked: the call is sent again once, and the tool runs once');

let onAnnounced = (): void => undefined;
client.setNotificationHandler(ToolListChangedNotificationSchema, () => onAnnounced());

/** The server says something on the event stream, and the client hears it. */
async function announce(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  onAnnounced = resolve;
  await client.callTool({ name: 'announce' });
  await promise;
}
await announce();

async function reopenAfter(spoil: () => void): Promise<number[]> {
  answered();
  const before = exchanges.length;
  const reopened = nextStream();
  spoil();
  dropStream();
  await reopened;
  await announce();
  assert.equal(exchanges.length, before + 1);
  const streams = inSession().filter(({ method }) => method === 'GET');
  assert.equal(streams.at(-1)?.token, await tokens.getAccessToken());
  return streams.map(({ status }) => status);
}
assert.deepEqual(await reopenAfter(() => passTime(2 * HOUR_MS)), [200]);
assert.deepEqual(await reopenAfter(authorizationServer.revokeAccessTokens), [401, 200]);
tell('the event stream ends, the token has expired or is revoked: reopened with the current one');

authorizationServer.revokeGrant(signedIn.refresh_token);
answered();
await assert.rejects(add(1, 1), { code: 401 });
await assert.rejects(add(1, 1), { code: 'ERR_REAUTHENTICATION_REQUIRED' });
assert.deepEqual(statuses(), [401]);
assert.deepEqual(authorizationServer.reuses, []);
await client.close();
tell('grant ended: told with the 401, and after that before anything is sent');
