import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createTokenSource } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { WebSocketServer, type WebSocket } from 'ws';
import { HOUR_MS, listen, passTime, startServers, tell } from '../scenery.ts';
import { subscribe } from './client.ts';

const EXPIRED = 4401;

await using servers = await startServers();
const { authorizationServer } = servers;
await using site = await listen();

const presented: { token: string | undefined; admitted: boolean }[] = [];
const socketServer = new WebSocketServer({
  server: site.server,
  verifyClient({ req }: { readonly req: IncomingMessage }) {
    const token = req.headers.authorization?.replace('Bearer ', '');
    const admitted = authorizationServer.isAccessTokenValid(token);
    presented.push({ token, admitted });
    return admitted;
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
const subscription = subscribe({
  url,
  tokens,
  onMessage: (message) => messages.push(message),
  signal: ending.signal,
});

const expired = await first;
const second = connected();
passTime(2 * HOUR_MS);
expired.close(EXPIRED);
const revoked = await second;
assert.equal(authorizationServer.exchanges.length, 1);
assert.deepEqual(
  presented.map(({ admitted }) => admitted),
  [true, true],
);
assert.notEqual(presented[0]?.token, presented[1]?.token);
tell('expired: the server drops the connection, the next one has a fresh token');

const third = connected();
passTime(HOUR_MS / 60);
authorizationServer.revokeAccessTokens();
revoked.close(EXPIRED);
const ended = await third;
assert.equal(authorizationServer.exchanges.length, 2);
assert.deepEqual(
  presented.map(({ admitted }) => admitted),
  [true, true, false, true],
);
tell('revoked: the handshake is refused once, and made again with another token');

authorizationServer.revokeGrant(signedIn.refresh_token);
passTime(2 * HOUR_MS);
ended.close(EXPIRED);
await assert.rejects(subscription, { code: 'ERR_REAUTHENTICATION_REQUIRED' });
assert.deepEqual(messages, ['hello 1', 'hello 2', 'hello 3']);
assert.deepEqual(authorizationServer.reuses, []);
socketServer.close();
tell('grant ended: the subscription ends, and asks for a sign-in');
