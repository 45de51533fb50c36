import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { mock } from 'node:test';
import { createTokenSource } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { WebSocketServer, type WebSocket } from 'ws';
import { HOUR_MS, listen, passTime, startServers, tell } from '../scenery.ts';
import { subscribe } from './client.ts';

const EXPIRED = 4401;

// The shortest of all delays that chance may bring.
mock.method(Math, 'random', () => 0);

await using servers = await startServers();
const { authorizationServer } = servers;
await using site = await listen();

let refusal = 401;
const presented: { token: string | undefined; admitted: boolean }[] = [];
const socketServer = new WebSocketServer({
  server: site.server,
  verifyClient({ req }: { readonly req: IncomingMessage }, admit: (ok: boolean, status: number) => void) {
    const token = req.headers.authorization?.replace('Bearer ', '');
    const admitted = refusal !== 403 && authorizationServer.isAccessTokenValid(token);
    presented.push({ token, admitted });
    admit(admitted, refusal);
  },
});

const signedIn = await authorizationServer.signIn();
await using tokens = createTokenSource({
  origins: [site.origin],
  refresh: refreshTokenGrant({ issuer: authorizationServer.issuer, clientId: 'ticker' }),
  tokens: signedIn,
});
const ending = new AbortController();
const messages: string[] = [];
const url = site.origin.replace('http', 'ws');

/** The next connection; says hello on it. */
async function connected(): Promise<WebSocket> {
  const [socket] = (await once(socketServer, 'connection')) as [WebSocket];
  socket.send(`hello ${messages.length + 1}`);
  return socket;
}

const first = connected();
const settings = {
  url,
  tokens,
  onMessage: (message: string) => void messages.push(message),
  signal: ending.signal,
};
const subscription = subscribe(settings);

let current = await first;
const dropped = async (): Promise<void> => {
  const next = connected();
  current.close(EXPIRED);
  current = await next;
};
const admissions = (): boolean[] => presented.splice(0).map(({ admitted }) => admitted);

passTime(2 * HOUR_MS);
await dropped();
assert.equal(authorizationServer.exchanges.length, 1);
assert.notEqual(presented[0]?.token, presented[1]?.token);
assert.deepEqual(admissions(), [true, true]);
tell('expired: the server drops the connection, the next one has a fresh token');

for (const exchanges of [2, 3]) {
  passTime(10_000);
  authorizationServer.revokeAccessTokens();
  await dropped();
  assert.equal(authorizationServer.exchanges.length, exchanges);
  assert.deepEqual(admissions(), [false, true]);
}
tell('revoked, twice: the handshake is refused once, and made again with another token');

authorizationServer.revokeGrant(signedIn.refresh_token);
passTime(2 * HOUR_MS);
current.close(EXPIRED);
await assert.rejects(subscription, { code: 'ERR_REAUTHENTICATION_REQUIRED' });
assert.deepEqual(messages, ['hello 1', 'hello 2', 'hello 3', 'hello 4']);
assert.deepEqual(authorizationServer.reuses, []);
tell('grant ended: the subscription ends, and asks for a sign-in');

await tokens.signIn(await authorizationServer.signIn());
const unreadable = assert.rejects(
  subscribe({ ...settings, onMessage: () => assert.fail('unreadable') }),
  /unreadable/,
);
await connected();
await unreadable;
refusal = 403;
await assert.rejects(subscribe(settings), /answered the handshake with 403/);
socketServer.close();
tell('forbidden, or a message that the program cannot read: the subscription ends with that');
