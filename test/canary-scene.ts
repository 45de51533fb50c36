import {
  createStoreFrom,
  createTokenSource,
  type CredentialRecord,
  type TokenResponse,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import { refreshTokenGrant, revokeToken } from '@unexpired/oauth';
import type { Answer, ReceivedRequest, ResourceServer, Responder } from '@unexpired/testing';
import { createCanaries, type Canaries } from './canaries.ts';
import { watchOutput } from './output.ts';
import { afterwards, serveResource } from './world.ts';

/** All that one account shows, with secrets that are known. */
export interface CanaryScene {
  readonly canaries: Canaries;
  /** Looks for secrets in these values at once, and once more when the scene is over. */
  readonly look: (...values: readonly unknown[]) => void;
  /** The names of the secrets that showed anywhere. */
  readonly conclude: () => Promise<string[]>;
  readonly tokens: TokenSource;
  /** Token endpoint and revocation endpoint. */
  readonly identity: ResourceServer;
  /** The listed origin. It takes the newest access token. */
  readonly api: ResourceServer;
  /** Another origin, which takes anything. */
  readonly elsewhere: ResourceServer;
  /** What is stored; tests may put something else in its place. */
  readonly storage: { record: unknown; save: (record: CredentialRecord) => void };
  readonly expire: () => Promise<void>;
  /** Ends the access tokens there are. */
  readonly revoke: () => void;
}

export type CanaryOptions = Partial<TokenSourceOptions> & {
  readonly fallbackIn?: 'bearer' | 'header' | undefined;
};

/** Refuses, and repeats all that it was shown: as it came, decoded, and quoted. */
export function echoes(): Responder[] {
  const forms: ((request: ReceivedRequest) => string)[] = [
    ({ body }) => body.toString(),
    ({ body }) => [...new URLSearchParams(body.toString()).values()].toReversed().join(' '),
    ({ body }) => JSON.stringify(Object.fromEntries(new URLSearchParams(body.toString()))),
    ({ headers }) => headers.authorization ?? '',
    ({ headers }) => atob(headers.authorization?.slice(6) ?? ''),
    ({ headers }) => new URLSearchParams(`a=${atob(headers.authorization?.slice(6) ?? '')}`).get('a')!,
  ];
  return forms.map((form) => (request) => {
    const repeated = form(request);
    return { status: 400, body: { error: 'invalid_client', error_description: repeated, code: repeated } };
  });
}

function createTokens(canaries: Canaries): (subject?: string) => TokenResponse {
  let generation = 0;
  return (subject = 'alice') => {
    generation += 1;
    return {
      access_token: canaries.plant(`access token ${generation}`),
      refresh_token: canaries.plantText(`refresh token ${generation}`),
      id_token: canaries.plantIdToken(`id token ${generation}`, subject),
      device_secret: canaries.plantText(`device secret ${generation}`),
      token_type: 'Bearer',
      expires_in: 3600,
    };
  };
}

function createStorage(look: (record: unknown) => void): CanaryScene['storage'] {
  const storage: CanaryScene['storage'] = {
    record: undefined,
    save(record) {
      // Beside the tokens, a record has nothing to hide.
      look({ ...record, tokens: undefined });
      storage.record = record;
    },
  };
  return storage;
}

function grants(clientSecret: string, origin: string): Pick<TokenSourceOptions, 'refresh' | 'revoke'> {
  const client = { clientId: 'cli', clientSecret };
  return {
    refresh: refreshTokenGrant({ ...client, tokenEndpoint: `${origin}/token` }),
    revoke: revokeToken({ ...client, revocationEndpoint: `${origin}/revoke` }),
  };
}

/** An account at real servers, over a store of its own, whose every secret is a canary. */
export async function openCanaryScene({ fallbackIn, ...options }: CanaryOptions = {}): Promise<CanaryScene> {
  const canaries = createCanaries();
  const looked: unknown[] = [];
  const found = new Set<string>();
  const look: CanaryScene['look'] = (...values) => {
    looked.push(...values);
    for (const name of canaries.found(...values)) found.add(name);
  };
  watchOutput(look);
  const nextTokens = createTokens(canaries);
  const valid = new Set<unknown>();
  const issue = (): Answer => {
    const body = nextTokens();
    valid.clear();
    valid.add(body.access_token);
    return { body };
  };
  const identity = await serveResource({ accepts: () => true, respond: issue });
  const api = await serveResource({ accepts: (token) => valid.has(token) });
  const elsewhere = await serveResource({ accepts: () => true });
  const storage = createStorage(look);
  const clientSecret = canaries.plantText('client secret');
  const key = canaries.plant('fallback');
  const first = issue().body as TokenResponse;
  const store = createStoreFrom({ load: () => storage.record, save: (_, record) => storage.save(record) });
  const tokens = createTokenSource({
    origins: [api.origin],
    ...grants(clientSecret, identity.origin),
    store,
    tokens: first,
    random: () => 0,
    onEvent: look,
    fallback: fallbackIn && (fallbackIn === 'bearer' ? key : { header: 'X-Api-Key', value: key }),
    ...options,
  });
  afterwards(() => tokens.close());
  const conclude = async (): Promise<string[]> => {
    await tokens.flush().catch(look);
    // A rejection that nobody handles shows a turn later.
    await new Promise(setImmediate);
    look(tokens, tokens.status(), store, options.refresh);
    const late = canaries.found(...looked);
    return [...new Set([...found, ...late])];
  };
  return {
    canaries,
    look,
    conclude,
    tokens,
    identity,
    api,
    elsewhere,
    storage,
    expire: () => tokens.signIn({ ...nextTokens(), expires_in: 0 }),
    revoke: () => valid.clear(),
  };
}
