import { expect, test } from '@jest/globals';
import { refreshTokenGrant, revokeToken, type GrantOptions } from '@unexpired/oauth';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { call } from './calls.ts';

const ISSUER = 'https://id.example.com';
const SECRET = 'canary-secret-51';
const REFRESH_TOKEN = 'canary-refresh-9a';

const canary = fc.constantFrom(SECRET, REFRESH_TOKEN, `${ISSUER}/${REFRESH_TOKEN}`);
const address = fc.oneof(
  fc.constantFrom(
    `${ISSUER}/token`,
    'http://id.example.com/token',
    'http://127.0.0.1:1/token',
    'HTTPS:id.example.com',
  ),
  fc.constantFrom(
    'https://me:pw@id.example.com/token',
    'javascript:1',
    'data:,x',
    '/token',
    '//evil.example/token',
  ),
  fc.webUrl(),
  fc.string(),
  fc.jsonValue(),
);
const metadata = fc.record(
  {
    issuer: fc.oneof({ weight: 4, arbitrary: fc.constant(ISSUER) }, fc.webUrl(), fc.jsonValue(), canary),
    token_endpoint: address,
    revocation_endpoint: address,
    [SECRET]: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const bodies = fc.oneof(
  { weight: 4, arbitrary: metadata.map((body) => JSON.stringify(body)) },
  fc.json(),
  fc.string(),
  canary,
);
const answer = fc.record({
  status: fc.oneof({ weight: 4, arbitrary: fc.constant(200) }, fc.integer({ min: 200, max: 599 })),
  type: fc.constantFrom('application/json', 'application/json; charset=x', 'text/html', ''),
  body: bodies,
});

interface Scene {
  readonly options: GrantOptions;
  readonly sent: { readonly url: string; readonly init: RequestInit }[];
}

/** The metadata answer; anything that is sent to another place is granted. */
function sceneOf({ status, type, body }: { status: number; type: string; body: string }): Scene {
  const sent: Scene['sent'] = [];
  const isBare = [204, 205, 304].includes(status);
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    if (!url.includes('/.well-known/')) {
      sent.push({ url, init });
      return Response.json({ access_token: 'a' });
    }
    return new Response(isBare ? null : body, { status, headers: { 'content-type': type } });
  };
  return { sent, options: { issuer: ISSUER, clientId: 'cli', clientSecret: SECRET, fetch } };
}

function expectSane(error: unknown): void {
  expect(error).toMatchObject({
    name: 'AccessTokenError',
    code: expect.stringMatching(/MISCONFIGURED|REFRESH_FAILED/),
  });
  const { message, cause } = error as Error;
  expect(`${message} ${String(cause)} ${JSON.stringify(cause)}`).not.toMatch(/canary-secret/);
}

const calls = [
  ['token_endpoint', (options: GrantOptions) => call(refreshTokenGrant(options), REFRESH_TOKEN)],
  ['revocation_endpoint', (options: GrantOptions) => revokeToken(options)({ refresh_token: REFRESH_TOKEN })],
] as const;

test.each(calls)(
  'secrets go only to an https %s that metadata of this issuer name',
  async (endpoint, send) => {
    await fc.assert(
      fc.asyncProperty(answer, async (given) => {
        const { options, sent } = sceneOf(given);
        try {
          await send(options);
        } catch (error) {
          expectSane(error);
          expect(sent).toEqual([]);
          return;
        }
        const named = JSON.parse(given.body) as Record<string, string>;
        expect(given.status).toBe(200);
        expect(named['issuer']).toBe(ISSUER);
        expect(sent).toHaveLength(1);
        const url = new URL(sent[0]!.url);
        expect(url.href).toBe(new URL(named[endpoint]!).href);
        expect(url.protocol).toBe('https:');
        expect(url.username + url.password + url.hash).toBe('');
        expect(sent[0]!.init.redirect).toBe('manual');
      }),
      runs(250),
    );
  },
);

test('an option that names a place is taken where secrets may go, and is else refused without its secrets', () => {
  const texts = fc.oneof(
    address,
    fc.anything(),
    fc.constantFrom('https://u:canary-secret@a.example/', `https://a.example/?k=${SECRET}#${SECRET}`, SECRET),
  );
  fc.assert(
    fc.property(texts, fc.constantFrom('issuer', 'tokenEndpoint'), fc.boolean(), (place, name, allowHttp) => {
      fc.pre(place !== undefined);
      let binding: Record<string, unknown> | undefined;
      try {
        const grant = refreshTokenGrant({
          [name]: place,
          clientId: 'cli',
          allowHttp,
        } as unknown as GrantOptions);
        binding = grant.binding as unknown as Record<string, unknown>;
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
        expect((error as Error).message).toContain(`\`${name}\` must be `);
        expect((error as Error).message).not.toMatch(/canary/);
        return;
      }
      const url = new URL(binding[name] as string);
      expect(url.origin).toBe(new URL(place as string).origin);
      expect(url.username + url.password + url.hash).toBe('');
      const isLocal = /^(.*\.)?localhost$|^127\.|^\[::1\]$/.test(url.hostname);
      expect(url.protocol === 'https:' || allowHttp || isLocal).toBe(true);
    }),
    runs(500),
  );
});

test('a refusal of a revocation endpoint is told by its code, and by nothing else of it', async () => {
  const words = fc.oneof(
    fc.constantFrom('invalid_client', 'unsupported_token_type', 'toString', REFRESH_TOKEN, SECRET),
    fc.jsonValue(),
  );
  const body = fc.oneof(
    fc.record({ error: words, error_description: words }).map((given) => JSON.stringify(given)),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(body, fc.integer({ min: 201, max: 599 }), async (text, status) => {
      const isBare = [204, 205, 304].includes(status);
      const revoke = revokeToken({
        revocationEndpoint: `${ISSUER}/revoke`,
        clientId: 'cli',
        clientSecret: SECRET,
        fetch: async () => new Response(isBare ? null : text, { status }),
      });

      const error = await revoke({ refresh_token: REFRESH_TOKEN }).catch((thrown: unknown) => thrown);

      expectSane(error);
      expect((error as Error).message).not.toContain(REFRESH_TOKEN);
    }),
    runs(150),
  );
});
