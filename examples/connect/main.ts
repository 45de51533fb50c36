import assert from 'node:assert/strict';
import { Code, ConnectError, createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import * as web from '@connectrpc/connect-web';
import { AccessTokenError, createTokenSource, explain401 } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { refreshTokenGrant } from '@unexpired/oauth';
import { createAuthorizationServer, createResourceServer } from '@unexpired/testing';
import { createStatusReader, HOUR_MS, listen, passTime, tell } from '../scenery.ts';
import { createTransport } from './client.ts';
import { connectAuth } from './interceptor.ts';
import { createTickerServer, forwardTo } from './ticker-server.ts';
import { Ticker } from './ticker.ts';

await using authorizationServer = await createAuthorizationServer();
const { exchanges, isAccessTokenValid: accepts } = authorizationServer;
const { listener, seen, runs, failAfter } = createTickerServer(accepts);
await using site = await listen(listener);
// It judges tokens ahead of the service: what it refuses is a plain 401, whatever the protocol.
await using gateway = await createResourceServer({ accepts, respond: forwardTo(site.origin) });
const signedIn = await authorizationServer.signIn();
await using tokens = createTokenSource({
  origins: [site.origin, gateway.origin],
  refresh: refreshTokenGrant({ issuer: authorizationServer.issuer, clientId: 'ticker' }),
  tokens: signedIn,
});
const clientOf = (transport: Transport) => createClient(Ticker, transport);
type Client = ReturnType<typeof clientOf>;
const callsOf = (ticker: Client): [() => Promise<void>, () => Promise<void>] => [
  async () => assert.equal((await ticker.greet({ value: 'Ann' })).value, 'Hello, Ann'),
  async () => {
    const counted: number[] = [];
    for await (const { value } of ticker.count({ value: 3 })) counted.push(value);
    assert.deepEqual(counted, [1, 2, 3]);
  },
];
const options = {
  baseUrl: site.origin,
  httpVersion: '1.1' as const,
  interceptors: [connectAuth(tokens)],
};
const ticker = clientOf(createConnectTransport(options));
const others = [createGrpcWebTransport(options), web.createConnectTransport(options)].map(clientOf);
const [greet, count] = callsOf(clientOf(createTransport(site.origin, tokens)));
const calls = [ticker, ...others].flatMap(callsOf).concat(greet);
const admissions = (): boolean[] => seen().map(({ admitted }) => admitted);
const isUnauthenticated = (error: unknown): boolean => ConnectError.from(error).code === Code.Unauthenticated;

passTime(2 * HOUR_MS);
await Promise.all([...calls, count].map((call) => call()));
assert.equal(exchanges.length, 1);
assert.deepEqual(admissions(), Array(8).fill(true));
tell('expired: 4 calls and 4 streams, 1 refresh, none refused');

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

authorizationServer.revokeAccessTokens();
await assert.rejects(count(), isUnauthenticated);
assert.deepEqual(admissions(), [false]);
tell('a stream that is refused at the end of a 200: a fetch cannot see it, the interceptor can');

const statuses = createStatusReader(gateway);
const grpcWeb = web.createGrpcWebTransport({ baseUrl: gateway.origin, fetch: fetchAuth(tokens) });
for (const call of [createTransport(gateway.origin, tokens), grpcWeb].map(clientOf).flatMap(callsOf)) {
  const exchanged: number = exchanges.length;
  authorizationServer.revokeAccessTokens();
  await call();
  assert.equal(exchanges.length, exchanged + 1);
  assert.deepEqual(statuses(), [401, 200]);
  const [refused, replayed] = gateway.requests.slice(-2);
  assert.ok(refused !== undefined && refused.length > 0);
  assert.equal(refused.sha256, replayed?.sha256);
  assert.deepEqual(admissions(), [true]);
}
tell('refused by a 401: fetch sends calls and streams again once, with identical bytes');

const repeat: Interceptor = (next) => async (call) => {
  try {
    return await next(call);
  } catch (error) {
    if (ConnectError.from(error).code !== Code.Unavailable) throw error;
    return next(call);
  }
};
const patient = clientOf(createConnectTransport({ ...options, interceptors: [repeat, connectAuth(tokens)] }));
failAfter(() => passTime(2 * HOUR_MS));
assert.equal((await patient.greet({ value: 'Ann' })).value, 'Hello, Ann');
assert.deepEqual(admissions(), [true, true]);
tell('repeated by an interceptor before it: with the token of that moment');

const presented = (): unknown[] => seen().map(({ token }) => token);
const elsewhere = { ...options, baseUrl: site.origin.replace('127.0.0.1', 'localhost') };
const stranger = clientOf(createConnectTransport(elsewhere));
const headers = { Authorization: 'Bearer mine' };
await assert.rejects(stranger.greet({}), isUnauthenticated);
await assert.rejects(ticker.greet({}, { headers }), isUnauthenticated);
assert.deepEqual(presented(), [undefined, 'mine']);
tell('another origin, or a header of the caller: left alone');

const isSignInNeeded = ({ cause }: ConnectError): boolean =>
  cause instanceof AccessTokenError && cause.code === 'ERR_REAUTHENTICATION_REQUIRED';
authorizationServer.revokeGrant(signedIn.refresh_token);
await assert.rejects(ticker.greet({}), (error) => {
  assert.ok(isUnauthenticated(error));
  return explain401(error)?.error?.code === 'ERR_REAUTHENTICATION_REQUIRED';
});
await assert.rejects(ticker.greet({}), isSignInNeeded);
await assert.rejects(greet(), isSignInNeeded);
assert.deepEqual(admissions(), [false]);

const again = await authorizationServer.signIn();
await tokens.signIn(again);
authorizationServer.revokeGrant(again.refresh_token);
await assert.rejects(greet(), isUnauthenticated);
assert.equal(tokens.status().health, 'signed-out');
assert.deepEqual(authorizationServer.reuses, []);
tell('grant ended: told with the refusal, and after that before anything is sent');
