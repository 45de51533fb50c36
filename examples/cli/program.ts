#!/usr/bin/env node
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { createTokenSource, explain401, type TokenSource, type TokenStore } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { refreshTokenGrant, revokeToken } from '@unexpired/oauth';
import { createFileStore } from '@unexpired/store-file';
import { signInWithDevice } from '../device-sign-in/device-grant.ts';

const USAGE = 'usage: reports login | call | status | logout [--account NAME] [--keyring]';
const EXIT = { failed: 1, usage: 2, signInNeeded: 3, tryLater: 75, signal: 128 } as const;
const PASSING: readonly unknown[] = ['ERR_REFRESH_FAILED', 'ERR_LOCK_TIMEOUT', 'ERR_WAIT_TIMEOUT'];

const { REPORTS_API = 'https://api.example.com', REPORTS_ISSUER = 'https://id.example.com' } = process.env;
const { XDG_CONFIG_HOME = '~/.config' } = process.env;
const client = { issuer: REPORTS_ISSUER, clientId: 'reports-cli' };

async function openStore(inKeyring: boolean): Promise<TokenStore> {
  if (!inKeyring) return createFileStore({ path: `${XDG_CONFIG_HOME}/reports/credentials.json` });
  const { createKeyringStore } = await import('@unexpired/store-keyring');
  return createKeyringStore({ service: 'reports' });
}

/** Resolves with what is printed. */
type Command = (tokens: TokenSource) => Promise<string>;

const login: Command = async (tokens) => {
  const tokenResponse = await signInWithDevice({
    ...client,
    scope: 'reports offline_access',
    prompt: ({ url, code, urlWithCode }) => console.error(`Open ${urlWithCode ?? url}\nYour code is ${code}`),
  });
  await tokens.signIn(tokenResponse);
  return 'signed in';
};

const call: Command = async (tokens) => {
  const signal = AbortSignal.timeout(60_000);
  const response = await fetchAuth(tokens)(`${REPORTS_API}/reports`, { signal });
  if (response.ok) return response.text();
  throw explain401(response)?.error ?? new Error(`The reports were answered ${response.status}`);
};

const status: Command = async (tokens) => {
  // Asks for what every command needs, so that the answer is true.
  await tokens.getAccessToken();
  const { expiresAt } = tokens.status();
  return `signed in; access token until ${expiresAt === undefined ? 'it is refused' : new Date(expiresAt).toISOString()}`;
};

const logout: Command = async (tokens) => {
  await tokens.signOut();
  return 'signed out';
};

const COMMANDS = new Map(Object.entries({ login, call, status, logout }));

class Interruption extends Error {
  readonly exitCode: number;

  constructor(signal: number) {
    super('Interrupted');
    this.exitCode = EXIT.signal + signal;
  }
}

/** A second Ctrl+C ends the process at once, as ever. */
async function interrupted(): Promise<never> {
  const signals = ['SIGINT', 'SIGTERM'].map((name) => once(process, name));
  const [, signal] = (await Promise.race(signals)) as [string, number];
  console.error('Interrupted; a refresh that was sent is waited for');
  throw new Interruption(signal);
}

interface Arguments {
  readonly command: Command;
  readonly account: string;
  readonly keyring: boolean;
}

async function run({ command, account, keyring }: Arguments): Promise<void> {
  const tokens = createTokenSource({
    origins: [new URL(REPORTS_API).origin],
    refresh: refreshTokenGrant(client),
    revoke: revokeToken(client),
    store: await openStore(keyring),
    account,
  });
  try {
    console.log(await Promise.race([command(tokens), interrupted()]));
  } finally {
    // What a refresh brought is stored before the process ends, else the sign-in may be lost with it.
    await tokens.flush();
    await tokens.close();
  }
}

/** Says what went wrong, and gives the exit code. */
function report(error: unknown, { account, keyring }: Arguments): number {
  if (error instanceof Interruption) return error.exitCode;
  const { code, message } = error as Error & { readonly code?: unknown };
  console.error(message);
  if (PASSING.includes(code)) return EXIT.tryLater;
  if (code === 'ERR_STORE_FAILED' && keyring)
    console.error('Without --keyring the sign-in is kept in a file.');
  if (code !== 'ERR_REAUTHENTICATION_REQUIRED') return EXIT.failed;
  console.error(`Sign in: reports login --account ${account}`);
  return EXIT.signInNeeded;
}

function readArguments(): Arguments {
  const options = {
    account: { type: 'string', default: 'default' },
    keyring: { type: 'boolean', default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const command = COMMANDS.get(positionals.join(' '));
    if (command !== undefined) return { ...values, command };
  } catch (error) {
    console.error((error as Error).message);
  }
  console.error(USAGE);
  process.exit(EXIT.usage);
}

const given = readArguments();
await run(given).catch((error: unknown) => {
  // Not `exitCode` alone: what was interrupted may still keep the process busy.
  process.exit(report(error, given));
});
