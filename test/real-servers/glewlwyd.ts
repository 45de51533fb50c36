import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { TokenResponse } from '@unexpired/core';
import type { RealServer } from './server.ts';
import { freePort } from '../free-port.ts';

const SCHEMA = '/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3';
const MODULES = '/usr/lib/glewlwyd';
/** What the schema of the package signs its first administrator in with. */
const ADMINISTRATOR = { username: 'admin', password: 'password' };
const USER = { username: 'alice', password: 'wonderland' };
const CLIENT = { client_id: 'race', client_secret: 'race-secret' };
const SCOPE = 'api';

const isMissing = (command: string): boolean => spawnSync(command, ['-v']).error !== undefined;

/** Why tests over it do not run here, for their names; CI has it. */
export const glewlwydMissing: string | undefined = ['glewlwyd', 'sqlite3']
  .filter(isMissing)
  .map((command) => `${command} is not installed`)[0];

/** All of it is asked for, that of TLS too, which is off. */
function configurationOf(port: number, folder: string): string {
  return `
port = ${port}
bind_address = "127.0.0.1"
external_url = "http://127.0.0.1:${port}/"
login_url = "login.html"
api_prefix = "api"
log_mode = "file"
log_level = "WARNING"
log_file = "${folder}/log"
cookie_secure = 0
session_expiration = 3600
session_key = "SID"
admin_scope = "g_admin"
profile_scope = "g_profile"
user_module_path = "${MODULES}/user"
client_module_path = "${MODULES}/client"
user_auth_scheme_module_path = "${MODULES}/scheme"
plugin_module_path = "${MODULES}/plugin"
use_secure_connection = false
secure_connection_key_file = "none"
secure_connection_pem_file = "none"
hash_algorithm = "SHA512"
database = { type = "sqlite3" path = "${folder}/db" };
`;
}

/** An OpenID Connect plugin whose refresh tokens are good for one use. */
function pluginFor(origin: string): object {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    module: 'oidc',
    name: 'oidc',
    display_name: 'oidc',
    parameters: {
      iss: `${origin}/api/oidc`,
      'jwt-type': 'rsa',
      'jwt-key-size': '256',
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      cert: publicKey.export({ type: 'spki', format: 'pem' }),
      'access-token-duration': 3600,
      'refresh-token-duration': 3600,
      'code-duration': 60,
      'refresh-token-rolling': false,
      'refresh-token-one-use': 'always',
      'allow-non-oidc': true,
      'auth-type-code-enabled': false,
      'auth-type-token-enabled': false,
      'auth-type-id-token-enabled': false,
      'auth-type-none-enabled': false,
      'auth-type-password-enabled': true,
      'auth-type-client-enabled': false,
      'auth-type-device-enabled': false,
      'auth-type-refresh-enabled': true,
      'introspection-revocation-allowed': true,
      'introspection-revocation-allow-target-client': true,
      'subject-type': 'public',
      scope: [],
    },
  };
}

const client = {
  ...CLIENT,
  name: 'race',
  confidential: true,
  enabled: true,
  password: CLIENT.client_secret,
  authorization_type: ['password', 'refresh_token'],
  redirect_uri: [],
  scope: [SCOPE],
  token_endpoint_auth_method: ['client_secret_post'],
};

async function post(url: string, content: object, cookie?: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...(cookie === undefined ? {} : { cookie }) };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(content) });
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${await response.text()}`);
  return response;
}

/** Makes the plugin, a scope, the client and a user, as its administrator. */
async function setUp(origin: string): Promise<void> {
  const api = `${origin}/api`;
  const session = await post(`${api}/auth/`, ADMINISTRATOR);
  const [cookie] = session.headers.getSetCookie()[0]!.split(';');
  await post(`${api}/mod/plugin/`, pluginFor(origin), cookie);
  const scope = { name: SCOPE, display_name: SCOPE, password_required: true, scheme: {} };
  await post(`${api}/scope/`, scope, cookie);
  await post(`${api}/client/`, client, cookie);
  await post(`${api}/user/`, { ...USER, enabled: true, scope: [SCOPE] }, cookie);
}

async function launch(origin: string, folder: string): Promise<ChildProcess> {
  execFileSync('sqlite3', [join(folder, 'db')], { input: await readFile(SCHEMA, 'utf8') });
  await writeFile(join(folder, 'conf'), configurationOf(Number(new URL(origin).port), folder));
  const child = spawn('glewlwyd', ['-c', join(folder, 'conf')], { stdio: 'ignore' });
  const isUp = (): Promise<boolean> => fetch(`${origin}/config`).then(Boolean, () => false);
  while (!(await isUp())) {
    if (child.exitCode !== null) throw new Error(`glewlwyd ended with ${child.exitCode}`);
    await setTimeout(20);
  }
  return child;
}

function serverAt(origin: string, close: () => Promise<void>): RealServer {
  const ask = async (path: string, parameters: object): Promise<unknown> => {
    const body = new URLSearchParams({ ...CLIENT, ...parameters });
    const response = await fetch(`${origin}/api/oidc/${path}`, { method: 'POST', body });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    tokenEndpoint: `${origin}/api/oidc/token`,
    parameters: CLIENT,
    signIn: () => ask('token', { grant_type: 'password', ...USER, scope: SCOPE }) as Promise<TokenResponse>,
    async accepts(token) {
      return ((await ask('introspect', { token })) as { readonly active: boolean }).active;
    },
    close,
  };
}

/** Debian's glewlwyd over a database of its own. It lets two refreshes at the same moment succeed now and then. */
export async function startGlewlwyd(): Promise<RealServer> {
  const folder = await mkdtemp(join(tmpdir(), 'unexpired-glewlwyd-'));
  const origin = `http://127.0.0.1:${await freePort()}`;
  const child = await launch(origin, folder);
  const close = async (): Promise<void> => {
    if (child.exitCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await rm(folder, { recursive: true });
  };
  try {
    await setUp(origin);
  } catch (error) {
    await close();
    throw error;
  }
  return serverAt(origin, close);
}
