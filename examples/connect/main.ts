import assert from 'node:assert/strict';
import { Code, ConnectError, createClient, type Interceptor } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { AccessTokenError, createTokenSource, explain401 } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { createAuthorizationServer } from '@unexpired/testing';
import { HOUR_MS, listen, passTime, tell } from '../scenery.ts';
import { connectAuth } from './client.ts';
import { createTickerServer } from './ticker-server.ts';
import { Ticker } from './ticker.ts';

await using authorizationServer = await createAuthorizationServer();
const { exchanges } = authorizationServer;
const { listener, seen, runs, failAfter } = createTickerServer(authorizationServer.isAccessTokenValid);
await using site = await listen(listener);
const signedIn = await authorizationServer.signIn();
await using tokens = createTokenSource({
  origins: [site.origin],
  refresh: refreshTokenGrant({ issuer: authorizationServer.issuer, clientId: 'ticker' }),
  tokens: signedIn,
});
const options = {
  baseUrl: site.origin,
  httpVersion: '1.1' as const,
  interceptors: [connectAuth(tokens)],
};
const transports = [createConnectTransport(options), createGrpcWebTransport(options)];
const clients = transports.map((transport) => createClient(Ticker, transport));
const calls = clients.flatMap((ticker) => {
  return [
    async () => assert.equal((await ticker.greet({ value: 'Ann' })).value, 'Hello, Ann'),
    async () => {
      const counted: number[] = [];
      for await (const { value } of ticker.count({ value: 3 })) counted.push(value);
      assert.deepEqual(counted, [1, 2, 3]);
    },
  ];
});
const [ticker] = clients as [(typeof clients)[number]];
const admissions = (): boolean[] => seen().map(({ admitted }) => admitted);

passTime(2 * HOUR_MS);
await Promise.all(calls.map((call) => call()));
assert.equal(exchanges.length, 1);
assert.deepEqual(admissions(), [true, true, true, true]);
tell('expired: 2 calls and 2 streams, 1 refresh, none refused');

for (const call of calls) {
  const exchanged: number = exchanges.length;
  const ran = runs();
  authorizationServer.revokeAccessTokens();
  await call();
  assert.equal(exchanges.length, exchanged + 1);
  assert.equal(runs(), ran + 1);
  const [refused, replayed, ...more] = seen();
  assert.ok(refused?.admitted === false && replayed?.admitted === true && more.length === 0);
  assert.equal(replayed.token, await tokens.getAccessToken());
}
tell('revoked, over Connect and gRPC-web: each call is refused once, and made again with another token');

const repeat: Interceptor = (next) => async (call) => {
  try {
    return await next(call);
  } catch (error) {
    if (ConnectError.from(error).code !== Code.Unavailable) throw error;
    return next(call);
  }
};
const patient = createClient(
  Ticker,
  createConnectTransport({ ...options, interceptors: [repeat, connectAuth(tokens)] }),
);
failAfter(() => passTime(2 * HOUR_MS));
assert.equal((await patient.greet({ value: 'Ann' })).value, 'Hello, Ann');
assert.deepEqual(admissions(), [true, true]);
tell('repeated by an interceptor before it: with the token of that moment');

const presented = (): unknown[] => seen().map(({ token }) => token);
const isUnauthenticated = (error: unknown): boolean => ConnectError.from(error).code === Code.Unauthenticated;
const elsewhere = { ...options, baseUrl: site.origin.replace('127.0.0.1', 'localhost') };
const stranger = createClient(Ticker, createConnectTransport(elsewhere));
const headers = { Authorization: 'Bearer mine' };
await assert.rejects(stranger.greet({}), isUnauthenticated);
await assert.rejects(ticker.greet({}, { headers }), isUnauthenticated);
assert.deepEqual(presented(), [undefined, 'mine']);
tell('another origin, or a header of the caller: left alone');

authorizationServer.revokeGrant(signedIn.refresh_token);
await assert.rejects(ticker.greet({}), (error) => {
  assert.ok(isUnauthenticated(error));
  return explain401(error)?.error?.code === 'ERR_REAUTHENTICATION_REQUIRED';
});
await assert.rejects(ticker.greet({}), ({ cause }: ConnectError) => {
  return cause instanceof AccessTokenError && cause.code === 'ERR_REAUTHENTICATION_REQUIRED';
});
assert.deepEqual(admissions(), [false]);
assert.deepEqual(authorizationServer.reuses, []);
tell('grant ended: told with the refusal, and after that before anything is sent');
