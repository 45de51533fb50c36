import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { createCanaries } from './canaries.ts';

const run = promisify(execFile);

/** Sends with tokens that are refused until nobody handles the error, which Node prints, and logs what it can before. */
const script = `
  import { createTokenSource } from '@unexpired/core';
  import { refreshTokenGrant } from '@unexpired/oauth';
  import { createAuthorizationServer, createResourceServer } from '@unexpired/testing';
  import { axiosAuth } from '@unexpired/axios';
  import { fetchAuth } from '@unexpired/fetch';
  import { gotAuth } from '@unexpired/got';
  import { kyAuth } from '@unexpired/ky';
  import axios from 'axios';
  import got from 'got';
  import ky from 'ky';
  const fail = (response) => {
    throw Object.assign(new Error('It was answered with a 401'), { response });
  };
  const clients = {
    axios(url) {
      const sent = axios.create();
      sent.interceptors.request.use(axiosAuth(tokens));
      return sent.get(url);
    },
    ky: (url) => ky.extend(kyAuth(tokens)).get(url),
    got: (url) => got.extend(gotAuth(tokens))(url),
    fetch: (url) => fetchAuth(tokens)(url).then(fail),
  };
  const { client, secret, access, refresh, fate } = JSON.parse(process.env.CANARIES);
  const identity = await createAuthorizationServer();
  const api = await createResourceServer({ accepts: () => false });
  const tokens = createTokenSource({
    origins: [api.origin],
    refresh: refreshTokenGrant({ tokenEndpoint: identity.tokenEndpoint, clientId: 'cli', clientSecret: secret }),
    tokens: { access_token: access, refresh_token: refresh, expires_in: fate === 'expired' ? -1 : 3600 },
    onEvent: (event) => console.log('%j %s %O', event, event, event),
  });
  console.error(tokens, JSON.stringify(tokens.status()));
  await clients[client](api.origin);
`;

const cases = ['axios', 'ky', 'got', 'fetch'].flatMap((client) => [
  [client, 'refused'],
  [client, 'expired'],
]);

test.each(cases)(
  'a process that dies of an error of %s, its token %s, prints no secret',
  async (client, fate) => {
    const canaries = createCanaries();
    const secrets = {
      secret: canaries.plantText('client secret'),
      access: canaries.plant('access token'),
      refresh: canaries.plantText('refresh token'),
    };
    const env = { ...process.env, CANARIES: JSON.stringify({ client, fate, ...secrets }) };
    const flags = ['--conditions=@unexpired/source', '--input-type=module', '--eval', script];

    const ended = run(process.execPath, flags, { cwd: new URL('../', import.meta.url), env });

    const { stdout, stderr, code } = (await ended.catch((error: unknown) => error)) as Record<
      string,
      unknown
    >;
    expect(code).toBe(1);
    expect(stdout).toContain('"type":"reauthentication-required"');
    expect(stderr).toMatch(fate === 'expired' ? /ERR_REAUTHENTICATION_REQUIRED/ : /401/);
    expect(canaries.found(stdout, stderr)).toEqual([]);
  },
);
