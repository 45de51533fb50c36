import type { CanaryRequest } from './canary-clients.ts';
import { echoes, type CanaryOptions, type CanaryScene } from './canary-scene.ts';

export interface Acting extends CanaryScene {
  /** Sends through the client under test, and looks at what its user is shown. */
  readonly send: (request?: Partial<CanaryRequest>) => Promise<void>;
}

export interface CanaryScenario {
  readonly name: string;
  readonly options?: CanaryOptions;
  readonly act: (scene: Acting) => Promise<void>;
}

const redirectTo = (location: string) => ({ respond: { status: 302, headers: { Location: location } } });

const ordinary: CanaryScenario[] = [
  {
    name: 'an access token is used, expires, is revoked and signed out',
    async act({ send, expire, revoke, tokens, look }) {
      await send();
      await expire();
      await send();
      revoke();
      await send({ streams: true });
      look(tokens.status());
      await tokens.signOut();
      await send();
    },
  },
  {
    name: 'a request goes to an origin that is not listed, by itself or by a redirect',
    async act({ send, api, elsewhere }) {
      await send({ url: elsewhere.origin });
      api.next(redirectTo(elsewhere.origin));
      elsewhere.next(500);
      await send();
      api.next(redirectTo(elsewhere.origin));
      elsewhere.always(401);
      await send();
    },
  },
  {
    name: 'a caller leaves while it waits, or while it is answered',
    async act({ send, api, identity, expire }) {
      for (const server of [api, identity]) {
        server.next({ hold: 'request' });
        const leaving = new AbortController();
        const sent = send({ signal: leaving.signal });
        await server.requestArrived(server.requests.length + 1);
        leaving.abort();
        await sent;
        server.release();
        await expire();
      }
    },
  },
];

const ofTheApi: CanaryScenario[] = [
  {
    name: 'the API fails',
    async act({ send, api }) {
      api.next({ reset: 'request' }, { reset: 'body' }, 500, 403);
      for (let request = 0; request < 4; request += 1) await send();
      api.always(redirectTo(`${api.origin}/again`));
      await send();
    },
  },
  {
    name: 'the API refuses every access token',
    async act({ send, api }) {
      api.always(401);
      await send();
      await send({ streams: true });
    },
  },
  {
    name: 'a 401 is not replayed, for the body is gone',
    options: { limits: { replayBytes: 0 } },
    async act({ send, revoke }) {
      revoke();
      await send({ streams: true });
    },
  },
  {
    name: 'the body cannot be made again',
    async act({ send, revoke }) {
      revoke();
      const body = (): never => {
        throw new Error('the file is gone');
      };
      await send({ streams: true, unexpired: { body } });
    },
  },
];

const ofTheTokenEndpoint: CanaryScenario[] = [
  {
    name: 'the grant is refused by a server that repeats all it was shown',
    async act({ send, identity, expire }) {
      for (const echo of echoes()) {
        await expire();
        identity.always(echo);
        await send();
      }
    },
  },
  {
    name: 'the grant is refused while a 401 is held',
    async act({ send, identity, revoke, expire }) {
      for (const echo of echoes()) {
        revoke();
        identity.always(echo);
        await send();
        identity.always(undefined);
        await expire();
        await send();
      }
    },
  },
  ...[{ reset: 'request' } as const, { reset: 'body' } as const, 503, 429].map((step) => ({
    name: `the token endpoint fails: ${JSON.stringify(step)}`,
    async act({ send, identity, expire, revoke }: Acting) {
      revoke();
      identity.always(step);
      await send();
      await expire();
      await send();
    },
  })),
  {
    name: 'tokens come under other names, beside an error, or about somebody else',
    async act({ send, identity, expire, canaries }) {
      const token = canaries.plant('misnamed token');
      const idToken = canaries.plantIdToken('id token of another', 'bob');
      const bodies = [
        { accessToken: token },
        { error: 'oops', access_token: token },
        { access_token: `${token}\n` },
        { access_token: token, id_token: idToken },
        `{"access_token":"${token}"`,
      ];
      for (const body of bodies) {
        await expire();
        identity.next({ respond: { body } });
        await send();
      }
    },
  },
  {
    name: 'the token endpoint redirects with the token',
    async act({ send, identity, expire }) {
      await expire();
      identity.always((request) => ({
        status: 307,
        headers: { Location: `https://other.example.com/?${encodeURI(request.body.toString())}` },
      }));
      await send();
    },
  },
];

const ofTheStore: CanaryScenario[] = [
  {
    name: 'the store throws what it was to write, at the claim',
    async act({ send, expire, storage }) {
      await expire();
      storage.save = (record) => {
        throw Object.assign(new Error(`cannot write ${JSON.stringify(record)}`), { record });
      };
      await send();
    },
  },
  {
    name: 'the store throws what it was to write, at the commit, and what it was to read',
    async act({ send, expire, storage, tokens, look }) {
      await expire();
      const { save } = storage;
      let writes = 0;
      storage.save = (record) => {
        writes += 1;
        if (writes > 1) throw Object.assign(new Error(`cannot write ${JSON.stringify(record)}`), { record });
        save(record);
      };
      await send();
      look(tokens.status(), await tokens.flush().catch((error: unknown) => error));
      storage.save = save;
    },
  },
  {
    name: 'the stored record is of another client, and holds what others put there',
    async act({ send, storage, canaries, tokens, look }) {
      const refreshToken = canaries.plantText('refresh token of another');
      storage.record = {
        version: 1,
        revision: 1,
        epoch: 'e',
        generation: 1,
        proofKey: canaries.plant('proof key'),
        binding: { clientId: 'other' },
        tokens: { refresh_token: refreshToken },
      };
      // A record of others holds what it holds: only what the library makes of it is looked at.
      storage.save = () => undefined;
      await send();
      look(await tokens.getAccessToken().catch((error: unknown) => error));
    },
  },
  {
    name: 'the stored record is damaged',
    async act({ send, storage, canaries }) {
      const damage = canaries.plantText('damage');
      for (const record of [damage, { version: 1, revision: damage, epoch: damage, tokens: damage }]) {
        storage.record = record;
        await send();
      }
    },
  },
];

const ofTheSession: CanaryScenario[] = [
  {
    name: 'a sign-out cannot revoke, and a server repeats what it was shown',
    async act({ send, identity, tokens, expire }) {
      for (const echo of echoes()) {
        await send();
        identity.always(echo);
        await tokens.signOut();
        await send();
        identity.always(undefined);
        await expire();
      }
    },
  },
  {
    name: 'an answer comes late',
    options: { limits: { exchangeMs: 1 } },
    async act({ send, identity, tokens, revoke }) {
      revoke();
      identity.always({ hold: 'answer' });
      const stored = new Promise<void>((resolve) => {
        tokens.subscribe(({ type }) => type === 'persisted' && resolve());
      });
      await send();
      identity.release();
      await stored;
      await send();
    },
  },
];

const ofTheFallback: CanaryScenario[] = (['bearer', 'header'] as const).map((kind) => ({
  name: `a fallback stands in (${kind})`,
  options: { fallbackIn: kind },
  async act({ send, tokens, api, elsewhere }: Acting) {
    await tokens.signOut();
    await send();
    await send({ streams: true });
    api.next(200, 500, redirectTo(elsewhere.origin));
    elsewhere.next(500);
    for (let request = 0; request < 3; request += 1) await send();
    api.next({ reset: 'request' });
    await send();
  },
}));

export const SCENARIOS: readonly CanaryScenario[] = [
  ...ofTheFallback,
  ...ordinary,
  ...ofTheApi,
  ...ofTheTokenEndpoint,
  ...ofTheStore,
  ...ofTheSession,
];
