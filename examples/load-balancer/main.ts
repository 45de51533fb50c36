import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createTokenSource } from '@unexpired/core';
import { createFileStore } from '@unexpired/store-file';
import { makeFolder } from '../processes.ts';
import { HOUR_MS, passTime, startServers, tell } from '../scenery.ts';
import { createBalancer } from './balancer.ts';

await using servers = await startServers();
const { apiServer, authorizationServer } = servers;
const { exchanges, tokenEndpoint } = authorizationServer;
await using folder = await makeFolder();
const store = createFileStore({ path: join(folder.path, 'credentials.json') });
const accounts = ['ann', 'ben', 'cleo'];
const balancer = createBalancer({
  apiUrl: apiServer.origin,
  tokenEndpoint,
  clientId: 'farm',
  accounts,
  store,
});

const signIn = async (account: string): Promise<string> => {
  const tokenResponse = await authorizationServer.signIn({ account });
  await balancer.signIn(account, tokenResponse);
  return tokenResponse.refresh_token;
};

/** By whom so many requests were served, in the order of the names. */
async function serve(count: number): Promise<string[]> {
  const served: string[] = [];
  for (let index = 0; index < count; index += 1) served.push((await balancer.getJson('/reports')).account);
  return served.toSorted();
}

const benToken = (await Promise.all(accounts.map(signIn)))[1]!;
assert.deepEqual(await serve(6), ['ann', 'ann', 'ben', 'ben', 'cleo', 'cleo']);
assert.equal(exchanges.length, 0);
tell('three accounts: they take turns');

passTime(2 * HOUR_MS);
// Until it is the turn of ann, whose account was closed meanwhile.
authorizationServer.next({}, {}, { respond: { status: 400, body: { error: 'account_deactivated' } } });
assert.deepEqual(await serve(3), ['ben', 'ben', 'cleo']);
assert.equal(exchanges[2]!.presentation!.account, 'ann');
assert.deepEqual(balancer.health(), { ann: 'disabled', ben: 'ok', cleo: 'ok' });
assert.deepEqual(await serve(6), ['ben', 'ben', 'ben', 'cleo', 'cleo', 'cleo']);
assert.equal(exchanges.length, 3);
tell('ann is deactivated: her request goes to another account, and the rest take turns without her');

authorizationServer.revokeGrant(benToken);
assert.deepEqual(await serve(4), ['cleo', 'cleo', 'cleo', 'cleo']);
assert.deepEqual(balancer.health(), { ann: 'disabled', ben: 'signed-out', cleo: 'ok' });
tell('the grant of ben is revoked: cleo serves alone');

passTime(2 * HOUR_MS);
authorizationServer.always({ respond: { status: 503 }, retryAfter: { seconds: 60 } });
await assert.rejects(serve(1), /"cleo":"backing-off"/);
const { length } = exchanges;
await assert.rejects(serve(1), /"cleo":"backing-off"/);
assert.equal(exchanges.length, length);
authorizationServer.always(undefined);
passTime(120_000);
assert.deepEqual(await serve(2), ['cleo', 'cleo']);
tell('an outage: nobody can, and nobody tries, until its time has come');

// Ann by the balancer; ben by another program, as it may be, that has the same file.
await signIn('ann');
const page = createTokenSource({ origins: [apiServer.origin], refresh: () => ({}), store, account: 'ben' });
await page.signIn(await authorizationServer.signIn({ account: 'ben' }));
await page.close();
assert.deepEqual(await serve(6), ['ann', 'ann', 'ben', 'ben', 'cleo', 'cleo']);
assert.deepEqual(authorizationServer.reuses, []);
await balancer.close();
tell('signed in again: all take turns');
