import assert from 'node:assert/strict';
import { AccessTokenError, createTokenSource } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { createResourceServer } from '@unexpired/testing';
import { APIConnectionError } from 'openai';
import { createStatusReader, HOUR_MS, passTime, startServers, tell } from '../scenery.ts';
import { createOpenAI } from './client.ts';
import { answerCompletion } from './completions.ts';

await using servers = await startServers({ apiServer: { respond: answerCompletion } });
const { apiServer, authorizationServer } = servers;
const { exchanges } = authorizationServer;
const statuses = createStatusReader(apiServer);
const signedIn = await authorizationServer.signIn();
await using tokens = createTokenSource({
  origins: [apiServer.origin],
  refresh: refreshTokenGrant({ issuer: authorizationServer.issuer, clientId: 'assistant' }),
  tokens: signedIn,
});
const baseURL = `${apiServer.origin}/v1`;
const openai = createOpenAI(baseURL, tokens);
const question = { model: 'any', messages: [{ role: 'user' as const, content: 'Are you there?' }] };

async function ask(client = openai): Promise<unknown> {
  return (await client.chat.completions.create(question)).choices[0]?.message.content;
}
const lastToken = (): string | undefined => apiServer.requests.at(-1)?.bearerToken;

passTime(2 * HOUR_MS);
assert.deepEqual(await Promise.all([ask(), ask(), ask()]), Array(3).fill('Yes, I am.'));
assert.equal(exchanges.length, 1);
assert.deepEqual(statuses(), [200, 200, 200]);
tell('expired: 3 completions, 1 refresh, no 401');

authorizationServer.revokeAccessTokens();
assert.equal(await ask(), 'Yes, I am.');
assert.equal(exchanges.length, 2);
assert.deepEqual(statuses(), [401, 200]);
const [refused, replayed] = apiServer.requests.slice(-2);
assert.notEqual(refused?.bearerToken, replayed?.bearerToken);
assert.equal(refused?.sha256, replayed?.sha256);
tell('revoked: the POST is sent twice, with identical bytes and another token');

// Refused at first; then the access token expires while the answer is on its way.
authorizationServer.revokeAccessTokens();
apiServer.next({}, { hold: 'body' });
let text = '';
for await (const { choices } of await openai.chat.completions.create({ ...question, stream: true })) {
  if (text === '') {
    passTime(2 * HOUR_MS);
    apiServer.release();
  }
  text += choices[0]?.delta.content ?? '';
}
assert.equal(text, 'Yes, I am.');
assert.deepEqual(statuses(), [401, 200]);
assert.equal(exchanges.length, 3);
tell('streamed: replayed after a 401, and not ended by a token that expires on the way');

// The SDK's own retry: the first attempt had a token that was replaced before the second.
apiServer.next({
  respond: () => {
    authorizationServer.revokeAccessTokens();
    return { status: 503, headers: { 'retry-after-ms': '1' } };
  },
});
assert.equal(await ask(), 'Yes, I am.');
assert.equal(exchanges.length, 5);
assert.deepEqual(statuses(), [503, 401, 200]);
tell('a retry of the SDK: sent with the token of that moment, and replayed once');

const brittle = openai.withOptions({ maxRetries: 0 });
apiServer.next({ reset: 'request' });
await assert.rejects(ask(brittle), APIConnectionError);
const before = lastToken();
passTime(2 * HOUR_MS);
const current = await tokens.getAccessToken();
assert.notEqual(current, before);
for (const rebuilt of [createOpenAI(baseURL, tokens), openai.withOptions({ timeout: 5000 })]) {
  assert.equal(await ask(rebuilt), 'Yes, I am.');
  assert.equal(lastToken(), current);
}
assert.equal(exchanges.length, 6);
tell('rebuilt after a connection error: the new client sends the current token');
statuses();

await using elsewhere = await createResourceServer({ respond: answerCompletion });
assert.equal(await ask(createOpenAI(elsewhere.origin, tokens)), 'Yes, I am.');
assert.deepEqual(elsewhere.requests[0]?.authorization, ['Bearer see-fetch']);
tell('another origin: gets the placeholder');

authorizationServer.revokeGrant(signedIn.refresh_token);
await assert.rejects(ask(), { status: 401 });
// Nothing is sent any more; the SDK tells what its fetch rejects with as a connection error.
await assert.rejects(ask(brittle), ({ cause }: APIConnectionError) => {
  return cause instanceof AccessTokenError && cause.code === 'ERR_REAUTHENTICATION_REQUIRED';
});
assert.deepEqual(statuses(), [401]);
assert.equal(tokens.status().health, 'signed-out');
assert.ok(apiServer.requests.every(({ bearerToken }) => bearerToken?.includes('see-fetch') === false));
assert.deepEqual(authorizationServer.reuses, []);
tell('grant ended: the SDK hands on what there is, and `tokens.status()` says that a person has to sign in');
