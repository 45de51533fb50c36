import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  createAuthorizationServer,
  createFakeClock,
  faults,
  type AuthorizationServer,
  type FakeClock,
} from '@unexpired/testing';
import { post, postRefresh, read, refresh } from './token-requests.ts';

let server: AuthorizationServer;
let clock: FakeClock;
let refreshToken: string;

beforeEach(async () => {
  clock = createFakeClock();
  server = await createAuthorizationServer({ clock });
  refreshToken = (await server.signIn()).refresh_token;
});

afterEach(() => server.close());

const outcomes = (): string[] => server.presentations.map(({ outcome }) => outcome);

describe('the script', () => {
  test('next gives each token request one fault, in order, before always counts', async () => {
    server.always({ respond: { status: 503 } });
    server.next({ respond: { status: 500 } }, {}, faults.badGateway);
    const statuses = [];
    for (let turn = 0; turn < 5; turn += 1) statuses.push((await postRefresh(server, refreshToken)).status);

    expect(statuses).toEqual([500, 200, 502, 503, 503]);
    expect(server.exchanges[2]?.fault).toBe(faults.badGateway);
  });

  test('always ends with undefined', async () => {
    server.always({ respond: { status: 503 } });
    server.always(undefined);

    expect((await postRefresh(server, refreshToken)).status).toBe(200);
  });

  test('sign-ins, metadata and revocations use up no fault', async () => {
    server.next({ respond: { status: 500 } });
    await server.signIn();
    await fetch(`${server.issuer}/.well-known/openid-configuration`);
    await fetch(server.revocationEndpoint, { method: 'POST', body: new URLSearchParams({ token: 'x' }) });

    expect((await postRefresh(server, refreshToken)).status).toBe(500);
  });
});

describe('hold', () => {
  test('at the request: nothing took effect until the release', async () => {
    server.next({ hold: 'request' });
    const answer = postRefresh(server, refreshToken);
    const exchange = await server.requestArrived();
    expect([server.held, outcomes(), exchange.status]).toEqual([1, ['pending'], undefined]);

    expect(server.release()).toBe(1);

    expect((await answer).status).toBe(200);
    expect([server.held, outcomes(), exchange.status]).toEqual([0, ['accepted'], 200]);
  });

  test('at the answer: the exchange took effect and no byte of the answer was sent', async () => {
    server.next({ hold: 'answer' });
    const answer = read(postRefresh(server, refreshToken));
    const exchange = await server.requestArrived();
    expect([server.held, outcomes(), exchange.status]).toEqual([1, ['accepted'], undefined]);

    server.release();

    expect((await answer).body).toEqual(exchange.issued);
  });

  test('in the body: headers and half of the body are there, the rest comes with the release', async () => {
    server.next({ hold: 'body' });
    const answer = await postRefresh(server, refreshToken);
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const half = (await reader.read()).value ?? new Uint8Array();
    expect(half.length).toBe(Math.ceil(Number(answer.headers.get('content-length')) / 2));
    expect(server.exchanges[0]?.status).toBe(200);

    server.release();

    const rest = (await reader.read()).value ?? new Uint8Array();
    expect(JSON.parse(Buffer.concat([half, rest]).toString())).toEqual(server.exchanges[0]?.issued);
  });

  test('a client that goes away while its request is held has spent its refresh token after the release', async () => {
    server.next({ hold: 'request' });
    const controller = new AbortController();
    const answer = post(
      server,
      { grant_type: 'refresh_token', refresh_token: refreshToken },
      { signal: controller.signal },
    );
    await server.requestArrived();
    controller.abort();
    await expect(answer).rejects.toThrow('aborted');

    server.release();
    await refresh(server, refreshToken);

    expect(outcomes()).toEqual(['accepted', 'reuse']);
  });

  test('one release lets go of everybody who is held, in any place', async () => {
    server.next({ hold: 'request' }, { hold: 'answer' });
    const answers = [postRefresh(server, refreshToken), postRefresh(server, refreshToken)];
    await server.requestArrived(2);

    expect(server.release()).toBe(2);

    await Promise.all(answers);
    expect(server.release()).toBe(0);
  });

  test('closing lets go of everybody who is held', async () => {
    server.next({ hold: 'answer' });
    const answer = postRefresh(server, refreshToken);
    await server.requestArrived();

    await Promise.all([expect(answer).rejects.toThrow('fetch failed'), server.close()]);

    expect(server.held).toBe(0);
  });
});

describe('reset', () => {
  test('at the request: the refresh token stays unspent', async () => {
    server.next({ reset: 'request' });

    await expect(postRefresh(server, refreshToken)).rejects.toThrow('fetch failed');

    expect(outcomes()).toEqual(['ignored']);
    expect((await refresh(server, refreshToken)).status).toBe(200);
  });

  test('at the answer: the refresh token is spent and its successor lost', async () => {
    server.next({ reset: 'answer' });

    await expect(postRefresh(server, refreshToken)).rejects.toThrow('fetch failed');

    expect(server.exchanges[0]?.status).toBeUndefined();
    expect(server.isAccessTokenValid(server.exchanges[0]?.issued?.access_token)).toBe(true);
    await refresh(server, refreshToken);
    expect(outcomes()).toEqual(['accepted', 'reuse']);
  });

  test('in the body: the answer begins and breaks off', async () => {
    server.next({ reset: 'body' });

    const answer = await postRefresh(server, refreshToken);

    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow('terminated');
    expect(outcomes()).toEqual(['accepted']);
  });

  test('after a hold: the connection stays until the release', async () => {
    server.next({ hold: 'answer', reset: 'answer' });
    const answer = postRefresh(server, refreshToken);
    await server.requestArrived();
    expect(server.held).toBe(1);

    server.release();

    await expect(answer).rejects.toThrow('fetch failed');
  });
});

describe('respond', () => {
  test('is sent as it is, and the refresh token stays unspent', async () => {
    const headers = { 'X-Odd': ['1', '2'] };
    server.next({ respond: { status: 418, headers, body: { a: [1] } } });

    const answer = await read(postRefresh(server, refreshToken));

    expect(answer).toMatchObject({ status: 418, body: { a: [1] } });
    expect(answer.headers.get('x-odd')).toBe('1, 2');
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(outcomes()).toEqual(['ignored']);
    expect((await refresh(server, refreshToken)).status).toBe(200);
  });

  test('with takesEffect hides an exchange that was made', async () => {
    server.next({ ...faults.badGateway, takesEffect: true });

    expect((await postRefresh(server, refreshToken)).status).toBe(502);

    expect(outcomes()).toEqual(['accepted']);
    expect(server.exchanges[0]?.issued).toBeDefined();
  });

  test.each([
    ['text', 'plain', 'plain'],
    ['bytes', new Uint8Array([0x68, 0x69]), 'hi'],
    ['nothing', undefined, ''],
  ])('a body of %s has no content type of its own', async (_, body, text) => {
    server.next({ respond: { body } });

    const answer = await postRefresh(server, refreshToken);

    expect(await answer.text()).toBe(text);
    expect(answer.headers.get('content-type')).toBeNull();
  });

  test('an answer without a body can be held and reset in it', async () => {
    server.next({ respond: { status: 204 }, hold: 'body' }, { respond: { status: 503 }, reset: 'body' });

    const held = await postRefresh(server, refreshToken);
    server.release();
    const broken = await postRefresh(server, refreshToken);

    expect([held.status, broken.status]).toEqual([204, 503]);
    await expect(broken.text()).rejects.toThrow('terminated');
  });
});

describe('change', () => {
  test.each([['3600'], [0], [-5], ['NaN'], [1e12], [null]])('expires_in may be %p', async (expires_in) => {
    server.next({ change: { expires_in } });

    expect((await refresh(server, refreshToken)).body['expires_in']).toBe(expires_in);
  });

  test('a member may be empty or added', async () => {
    server.next({ change: { refresh_token: '', ext_expires_in: 9 } });

    const { body } = await refresh(server, refreshToken);

    expect(body).toMatchObject({ refresh_token: '', ext_expires_in: 9, expires_in: 3600 });
  });

  test('leaves refusals alone', async () => {
    server.next({ change: { expires_in: 1 } });

    expect((await refresh(server, 'made-up')).body).not.toHaveProperty('expires_in');
  });
});

describe('headers', () => {
  test('Date follows the clock of the server, or is off by what is asked for', async () => {
    server.next({}, { dateOffsetMs: -86_400_000 });
    const dates = [];
    for (let turn = 0; turn < 2; turn += 1)
      dates.push(Date.parse(String((await refresh(server, refreshToken)).headers.get('date'))));

    expect(dates).toEqual([clock.now(), clock.now() - 86_400_000]);
  });

  test('headers of a fault win over all others', async () => {
    server.next({ headers: { Date: 'yesterday', 'Content-Type': 'text/plain' } });

    const { headers, body } = await refresh(server, refreshToken);

    expect([headers.get('date'), headers.get('content-type')]).toEqual(['yesterday', 'text/plain']);
    expect(body.access_token).toEqual(expect.any(String));
  });

  test('answers may not be stored', async () => {
    expect((await refresh(server, refreshToken)).headers.get('cache-control')).toBe('no-store');
  });
});

describe('faults by name', () => {
  test('retryLater says when, in seconds or as a date of the server', async () => {
    server.next(faults.retryLater(429, { seconds: 7 }), faults.retryLater(503, { seconds: 7, as: 'date' }));

    const [limited, unavailable] = [
      await postRefresh(server, refreshToken),
      await postRefresh(server, refreshToken),
    ];

    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7']);
    expect(unavailable.status).toBe(503);
    expect(Date.parse(String(unavailable.headers.get('retry-after')))).toBe(clock.now() + 7000);
  });

  test.each([
    [faults.oauthError('invalid_grant'), 400, { error: 'invalid_grant' }],
    [faults.oauthError('invalid_grant', { status: 403 }), 403, { error: 'invalid_grant' }],
    [
      faults.oauthError('bad_refresh_token', { status: 200, description: 'No.' }),
      200,
      { error: 'bad_refresh_token', error_description: 'No.' },
    ],
    [
      faults.oauthError('refresh_token_reused', { status: 401, nested: true }),
      401,
      { error: { code: 'refresh_token_reused' } },
    ],
  ])(
    'oauthError %#: the code comes in its status and shape, and the grant lives',
    async (fault, status, body) => {
      server.next(fault);

      const answer = await refresh(server, refreshToken);

      expect(answer.status).toBe(status);
      expect(answer.body).toEqual(body);
      expect(server.isGrantAlive(refreshToken)).toBe(true);
    },
  );

  test('without leaves members out of a successful answer', async () => {
    server.next(faults.without('access_token', 'expires_in', 'refresh_token'));

    expect((await refresh(server, refreshToken)).body).toEqual({ token_type: 'Bearer' });
    expect(outcomes()).toEqual(['accepted']);
  });

  test('badGateway is an HTML page', async () => {
    server.next(faults.badGateway);

    const answer = await postRefresh(server, refreshToken);

    expect([answer.status, answer.headers.get('content-type')]).toEqual([502, 'text/html; charset=utf-8']);
    expect(await answer.text()).toContain('<h1>502 Bad Gateway</h1>');
  });

  test.each(['truncatedJson', 'malformedJson'] as const)(
    '%s is a complete answer that does not parse',
    async (name) => {
      server.next(faults[name]);

      const answer = await postRefresh(server, refreshToken);
      const text = await answer.text();

      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
      expect(text).toHaveLength(Number(answer.headers.get('content-length')));
      expect(() => JSON.parse(text) as unknown).toThrow('JSON');
      expect(outcomes()).toEqual(['accepted']);
    },
  );
});
