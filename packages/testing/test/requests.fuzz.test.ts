import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { multipartParts } from '@unexpired/testing';
import fc from 'fast-check';
import { ClientSecretBasic, ClientSecretPost, type ClientAuth } from 'oauth4webapi';
import { runs } from '../../../test/runs.ts';
import { isSignedBy } from '../src/client-assertion.ts';
import { readClient, whyRefused, type RegisteredClient } from '../src/client-authentication.ts';
import { createGrants } from '../src/grants.ts';
import { signIn } from '../src/rotation.ts';
import { openExchange, processExchange, type TokenEndpoint } from '../src/token-endpoint.ts';

const text = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'grapheme', minLength: 1 }));

describe('multipart bodies', () => {
  const fields = fc.array(
    fc.record({
      name: fc.oneof(text, fc.constantFrom('a"b', 'a\r\nb', 'x"; name="y', 'filename="z')),
      filename: fc.option(text, { nil: undefined }),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc
          .constantFrom('\r\n', '--', '\r\n\r\n', '\r\n--', '\r\n------formdata-')
          .map((part) => Buffer.from(part)),
      ),
    }),
    { minLength: 1, maxLength: 4 },
  );

  async function encode(
    given: readonly { name: string; filename: string | undefined; bytes: Uint8Array }[],
  ): Promise<{ headers: { 'content-type': string }; body: Buffer }> {
    const form = new FormData();
    for (const { name, filename, bytes } of given) {
      form.append(name, new Blob([bytes as Uint8Array<ArrayBuffer>]), filename ?? 'blob');
    }
    const response = new Response(form);
    const contentType = response.headers.get('content-type')!;
    return { headers: { 'content-type': contentType }, body: Buffer.from(await response.arrayBuffer()) };
  }

  /** As the web writes names into headers (HTML, section 4.10.22.8). */
  const written = (name: string): string =>
    name
      .toWellFormed()
      .replaceAll(/\r\n|\r|\n/g, '%0D%0A')
      .replaceAll('"', '%22');
  const writtenFile = (name: string): string =>
    name.toWellFormed().replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22');

  test('are read back as the parts they were made of', async () => {
    await fc.assert(
      fc.asyncProperty(fields, async (given) => {
        const parts = multipartParts(await encode(given));

        expect(
          parts.map(({ name, filename, body }) => ({ name, filename, body: body.toString('hex') })),
        ).toEqual(
          given.map(({ name, filename, bytes }) => ({
            name: written(name),
            filename: writtenFile(filename ?? 'blob'),
            body: Buffer.from(bytes).toString('hex'),
          })),
        );
      }),
      runs(150),
    );
  });

  test('that were cut off, or that have another boundary, are never taken for whole', async () => {
    await fc.assert(
      fc.asyncProperty(fields, fc.nat(), fc.stringMatching(/^[\w-]{1,8}$/), async (given, cut, suffix) => {
        const { headers, body } = await encode(given);
        // The line break after the last boundary may be missing.
        const short = body.subarray(0, cut % (body.length - 2));
        const other = { 'content-type': headers['content-type'] + suffix };

        expect(() => multipartParts({ headers, body: short })).toThrow(/boundary|headers/);
        expect(() => multipartParts({ headers: other, body })).toThrow(/boundary/);
      }),
      runs(150),
    );
  });

  test('of any bytes are read, or refused with an error that says why', () => {
    const pieces = fc.constantFrom(
      '--b',
      '--b--',
      '\r\n',
      '\r\n\r\n',
      '--',
      'name="x"',
      ': ',
      'Content-Disposition',
    );
    const bodies = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.array(pieces, { maxLength: 12 }).map((parts) => Buffer.from(parts.join(''))),
    );
    const types = fc.oneof(
      fc.string(),
      fc.constantFrom('multipart/form-data; boundary=b', 'multipart/x; boundary="b"'),
    );
    fc.assert(
      fc.property(types, bodies, (contentType, body) => {
        try {
          for (const part of multipartParts({ headers: { 'content-type': contentType }, body })) {
            expect(body.includes(part.body)).toBe(true);
          }
        } catch (error) {
          expect(String(error)).toMatch(/^Error: (The Content-Type|The body|A part)/);
        }
      }),
      runs(500),
    );
  });
});

describe('clients of token requests', () => {
  const server = { issuer: 'https://id.example.com' };

  async function sentBy(authenticate: ClientAuth, id: string): Promise<ReturnType<typeof readClient>> {
    const headers = new Headers();
    const form = new URLSearchParams();
    await authenticate(server, { client_id: id }, form, headers);
    return readClient(
      Object.fromEntries(headers as unknown as Iterable<[string, string]>),
      new URLSearchParams(form.toString()),
    );
  }

  test('are read as they authenticated, whatever is in their names and secrets', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, async (given, secretGiven) => {
        const [id, secret] = [given.toWellFormed(), secretGiven.toWellFormed()];

        expect(await sentBy(ClientSecretBasic(secret), id)).toMatchObject({
          method: 'basic',
          clientId: id,
          credential: secret,
        });
        expect(await sentBy(ClientSecretPost(secret), id)).toMatchObject({
          method: 'post',
          clientId: id,
          credential: secret,
        });
      }),
      runs(200),
    );
  });

  const clients: RegisteredClient[] = [
    { clientId: 'secret', clientSecret: 's3cret' },
    ...(['ec', 'rsa', 'ed25519'] as const).map((type) => {
      const { publicKey } = generateKeyPairSync(
        type as 'rsa',
        {
          modulusLength: 2048,
          namedCurve: 'P-256',
        } as { modulusLength: number },
      );
      return { clientId: type, publicKey: publicKey.export({ format: 'jwk' }) };
    }),
  ];
  const segment = (values: fc.Arbitrary<unknown>): fc.Arbitrary<string> =>
    fc.oneof(
      values.map((value) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url')),
      fc.string(),
    );
  const algorithm = fc.constantFrom('RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519', 'none', 'HS256');
  const ids = fc.constantFrom(...clients.map(({ clientId }) => clientId));
  const audience = fc.oneof(
    fc.constantFrom<unknown>(server.issuer, [server.issuer], { toString: 1 }),
    fc.jsonValue(),
  );
  const members = { aud: audience, exp: fc.oneof(fc.constant(9e9), fc.jsonValue()), jti: fc.jsonValue() };
  const claims = fc.oneof(
    fc.record({ iss: fc.jsonValue(), sub: fc.oneof(ids, fc.jsonValue()), ...members }, { requiredKeys: [] }),
    ids.chain((id) => fc.record({ iss: fc.constant(id), sub: fc.constant(id), ...members, jti: fc.uuid() })),
  );
  const assertion = fc
    .tuple(segment(fc.record({ alg: fc.oneof(algorithm, fc.jsonValue()) })), segment(claims), fc.string())
    .map((parts) => parts.join('.'));

  test('are not taken for known ones by anything that they did not sign or know', () => {
    fc.assert(
      fc.property(fc.oneof(assertion, fc.string()), ids, fc.string(), (presented, id, garbage) => {
        const registry = {
          clients,
          usedAssertions: new Set<string>(),
          audiences: [server.issuer],
          now: () => 0,
        };
        const jwt = new URLSearchParams({ client_assertion: presented });
        const form = new URLSearchParams({ client_id: id, client_secret: garbage });
        const basic = { authorization: `Basic ${garbage}` };

        for (const [headers, parameters] of [
          [{}, jwt],
          [{}, form],
          [basic, new URLSearchParams()],
        ] as const) {
          expect(whyRefused(readClient(headers, parameters), registry)).toEqual(expect.any(String));
        }
        for (const { publicKey } of clients) {
          if (publicKey !== undefined) expect(isSignedBy(presented, publicKey)).toBe(false);
        }
      }),
      runs(300),
    );
  });
});

describe('token requests', () => {
  const parameter = fc.constantFrom(
    'grant_type',
    'refresh_token',
    'client_id',
    'client_secret',
    'scope',
    'resource',
  );
  const value = fc.oneof(fc.constantFrom('refresh_token', 'client_credentials', 'known', 'read write'), text);
  const bodies = fc.oneof(
    fc
      .array(fc.tuple(parameter, value), { maxLength: 6 })
      .map((pairs) => new URLSearchParams(pairs).toString()),
    fc.string(),
  );

  test('spend a refresh token only where they are in order, and are answered in any case', () => {
    fc.assert(
      fc.property(
        bodies,
        fc.constantFrom('POST', 'GET', ''),
        fc.constantFrom('application/x-www-form-urlencoded', 'application/json', undefined),
        (body, method, contentType) => {
          const now = (): number => 0;
          const settings = {
            rotation: 'strict',
            graceMs: 0,
            expiresIn: 60,
            accessTokensDieAtRefresh: false,
            now,
          } as const;
          const grants = createGrants(settings);
          const registry = { clients: undefined, usedAssertions: new Set<string>(), audiences: [], now };
          const endpoint: TokenEndpoint = { grants, registry, refreshIn: undefined };
          const issued = signIn(grants, {
            account: 'a',
            clientId: undefined,
            scope: undefined,
            expiresIn: 60,
          });
          const presented = body.replaceAll('refresh_token=known', `refresh_token=${issued.refreshToken}`);

          const exchange = openExchange(
            endpoint,
            { method, headers: { 'content-type': contentType }, body: presented },
            {},
          );
          const answer = processExchange(endpoint, exchange);

          const spent = grants.refreshTokens.get(issued.refreshToken)?.spentAt !== undefined;
          const names = [...exchange.parameters.keys()].filter((name) => name !== 'resource');
          const isInOrder =
            method === 'POST' &&
            contentType === 'application/x-www-form-urlencoded' &&
            new Set(names).size === names.length &&
            exchange.grantType === 'refresh_token' &&
            exchange.parameters.get('refresh_token') === issued.refreshToken;
          expect(spent).toBe(isInOrder);
          expect(answer.status ?? 200).toBe(
            exchange.issued === undefined ? (method === 'POST' ? answer.status : 405) : 200,
          );
          expect(exchange.presentation?.outcome).not.toBe('pending');
        },
      ),
      runs(500),
    );
  });
});
