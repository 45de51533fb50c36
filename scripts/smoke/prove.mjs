// Runs on each Node version, without types: the packages as they were loaded, by import or by require.
import assert from 'node:assert/strict';

/** How one GET request is sent by each client, and what status the caller saw. */
const clients = {
  axios({ axiosAuth }, { default: axios }, tokens) {
    const api = axios.create();
    api.interceptors.request.use(axiosAuth(tokens));
    return async (url) => (await api.get(url)).status;
  },
  ky({ kyAuth }, { default: ky }, tokens) {
    const api = ky.extend(kyAuth(tokens));
    return async (url) => (await api(url)).status;
  },
  got({ gotAuth }, { default: got }, tokens) {
    const api = got.extend(gotAuth(tokens));
    return async (url) => (await api(url)).statusCode;
  },
  fetch({ fetchAuth }, _, tokens) {
    const authFetch = fetchAuth(tokens);
    return async (url) => (await authFetch(url)).status;
  },
};

async function proveClient({ name, load }, servers) {
  const { authorization, api, tokens } = servers;
  const client = name === 'fetch' ? undefined : await load(name);
  const send = clients[name](await load(`@unexpired/${name}`), client, tokens);
  authorization.revokeAccessTokens();
  const before = api.requests.length;
  assert.equal(await send(`${api.origin}/`), 200, name);
  const statuses = api.requests.slice(before).map(({ status }) => status);
  assert.deepEqual(statuses, [401, 200], `${name}: a 401 is answered with one replay`);
}

/** Loads every package, and takes a 401 to a 200 through each adapter. */
export async function prove(names, load) {
  for (const name of names) assert.ok(Object.keys(await load(name)).length > 0, `${name} exports nothing`);
  const { createTokenSource } = await load('@unexpired/core');
  const { refreshTokenGrant } = await load('@unexpired/oauth');
  const { createAuthorizationServer, createResourceServer } = await load('@unexpired/testing');

  const adapters = names.map((name) => name.slice('@unexpired/'.length)).filter((name) => name in clients);
  assert.deepEqual(adapters.toSorted(), Object.keys(clients).toSorted());
  const authorization = await createAuthorizationServer();
  const api = await createResourceServer({ accepts: authorization.isAccessTokenValid });
  const tokens = createTokenSource({
    origins: [api.origin],
    refresh: refreshTokenGrant({ tokenEndpoint: authorization.tokenEndpoint, clientId: 'smoke' }),
    tokens: await authorization.signIn(),
  });
  try {
    for (const name of adapters) await proveClient({ name, load }, { authorization, api, tokens });
    assert.equal(authorization.exchanges.length, adapters.length);
    assert.deepEqual(authorization.reuses, []);
  } finally {
    await Promise.all([tokens.close(), authorization.close(), api.close()]);
  }
}
