import { afterEach, describe, expect, test } from '@jest/globals';
import {
  createAuthorizationServer,
  createFakeClock,
  type AuthorizationServer,
  type AuthorizationServerOptions,
  type FakeClock,
} from '@unexpired/testing';
import { refresh } from './token-requests.ts';

let server: AuthorizationServer;
let clock: FakeClock;

async function start(options: AuthorizationServerOptions = {}): Promise<void> {
  clock = createFakeClock();
  server = await createAuthorizationServer({ clock, ...options });
}

const outcomes = (): string[] => server.presentations.map(({ outcome }) => outcome);

afterEach(() => server.close());

describe('strict', () => {
  test('a refresh rotates the refresh token and leaves the old access token valid', async () => {
    await start();
    const first = await server.signIn();

    const { status, body } = await refresh(server, first.refresh_token);

    expect(status).toBe(200);
    expect(body.refresh_token).not.toBe(first.refresh_token);
    expect(body.access_token).not.toBe(first.access_token);
    expect(server.isAccessTokenValid(first.access_token)).toBe(true);
    expect(server.isAccessTokenValid(body.access_token)).toBe(true);
    expect((await refresh(server, body.refresh_token)).status).toBe(200);
    expect(server.reuses).toEqual([]);
  });

  test('a refresh token that is presented twice ends the grant and its access tokens', async () => {
    await start();
    const first = await server.signIn();
    const second = await refresh(server, first.refresh_token);

    const reuse = await refresh(server, first.refresh_token);

    expect(reuse).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(server.isGrantAlive(first.refresh_token)).toBe(false);
    expect(server.isAccessTokenValid(first.access_token)).toBe(false);
    expect(server.isAccessTokenValid(second.body.access_token)).toBe(false);
    expect((await refresh(server, second.body.refresh_token)).body['error']).toBe('invalid_grant');
    expect(outcomes()).toEqual(['accepted', 'reuse', 'dead']);
    expect(server.reuses).toEqual([server.presentations[1]]);
  });

  test('a reuse leaves the grants of other accounts alone', async () => {
    await start();
    const [ann, bob] = [await server.signIn({ account: 'ann' }), await server.signIn({ account: 'bob' })];
    await refresh(server, ann.refresh_token);

    await refresh(server, ann.refresh_token);

    expect(server.isGrantAlive(ann.access_token)).toBe(false);
    expect(server.isGrantAlive(bob.access_token)).toBe(true);
    expect(server.isAccessTokenValid(bob.access_token)).toBe(true);
  });

  test('each presentation is recorded with its time, account and generation', async () => {
    await start();
    const first = await server.signIn({ account: 'ann' });
    const second = await refresh(server, first.refresh_token);
    await clock.advance(1500);

    await refresh(server, second.body.refresh_token);
    await refresh(server, 'made-up');

    const at = clock.now();
    expect(server.presentations).toEqual([
      {
        at: at - 1500,
        refreshToken: first.refresh_token,
        generation: 1,
        account: 'ann',
        outcome: 'accepted',
      },
      { at, refreshToken: second.body.refresh_token, generation: 2, account: 'ann', outcome: 'accepted' },
      { at, refreshToken: 'made-up', generation: undefined, account: undefined, outcome: 'unknown' },
    ]);
  });
});

describe('grace', () => {
  test('the refresh token just spent brings a second pair and leaves the first good', async () => {
    await start({ rotation: 'grace', graceMs: 1000 });
    const first = await server.signIn();
    const second = await refresh(server, first.refresh_token);
    await clock.advance(1000);

    const sibling = await refresh(server, first.refresh_token);

    expect(sibling.status).toBe(200);
    expect(sibling.body.refresh_token).not.toBe(second.body.refresh_token);
    for (const { body } of [second, sibling]) {
      expect(server.isAccessTokenValid(body.access_token)).toBe(true);
      expect((await refresh(server, body.refresh_token)).status).toBe(200);
    }
    expect(outcomes()).toEqual(['accepted', 'grace', 'accepted', 'accepted']);
  });

  test('after the grace period a spent refresh token ends the grant', async () => {
    await start({ rotation: 'grace', graceMs: 1000 });
    const first = await server.signIn();
    const second = await refresh(server, first.refresh_token);
    await clock.advance(1001);

    expect((await refresh(server, first.refresh_token)).status).toBe(400);

    expect(outcomes()).toEqual(['accepted', 'reuse']);
    expect(server.isAccessTokenValid(second.body.access_token)).toBe(false);
  });

  test('the grace period counts from the first use and does not slide', async () => {
    await start({ rotation: 'grace', graceMs: 1000 });
    const first = await server.signIn();
    await refresh(server, first.refresh_token);
    await clock.advance(600);
    await refresh(server, first.refresh_token);
    await clock.advance(600);

    await refresh(server, first.refresh_token);

    expect(outcomes()).toEqual(['accepted', 'grace', 'reuse']);
  });

  test('only the immediately previous refresh token is tolerated', async () => {
    await start({ rotation: 'grace' });
    const first = await server.signIn();
    const second = await refresh(server, first.refresh_token);
    await refresh(server, second.body.refresh_token);

    await refresh(server, first.refresh_token);

    expect(outcomes()).toEqual(['accepted', 'accepted', 'reuse']);
    expect(server.isGrantAlive(first.refresh_token)).toBe(false);
  });
});

describe('latest-wins', () => {
  test('a second pair replaces the first, whose access token is dead at once', async () => {
    await start({ rotation: 'latest-wins' });
    const first = await server.signIn();
    const second = await refresh(server, first.refresh_token);

    const sibling = await refresh(server, first.refresh_token);

    expect(sibling.status).toBe(200);
    const valid = [first, second.body, sibling.body].map((tokens) =>
      server.isAccessTokenValid(tokens.access_token),
    );
    expect(valid).toEqual([true, false, true]);
    expect((await refresh(server, sibling.body.refresh_token)).status).toBe(200);
  });

  test('the refresh token just spent brings a pair as often as it is presented', async () => {
    await start({ rotation: 'latest-wins' });
    const first = await server.signIn();
    for (let turn = 0; turn < 3; turn += 1) await refresh(server, first.refresh_token);

    expect(outcomes()).toEqual(['accepted', 'grace', 'grace']);
  });

  test('an ordinary refresh leaves the earlier access token valid', async () => {
    await start({ rotation: 'latest-wins' });
    const first = await server.signIn();
    const second = await refresh(server, first.refresh_token);

    await refresh(server, second.body.refresh_token);

    expect(server.isAccessTokenValid(second.body.access_token)).toBe(true);
  });

  test('the refresh token of a replaced pair ends the grant', async () => {
    await start({ rotation: 'latest-wins' });
    const first = await server.signIn();
    const second = await refresh(server, first.refresh_token);
    const sibling = await refresh(server, first.refresh_token);

    expect((await refresh(server, second.body.refresh_token)).status).toBe(400);

    expect(outcomes()).toEqual(['accepted', 'grace', 'reuse']);
    expect(server.isAccessTokenValid(sibling.body.access_token)).toBe(false);
    expect(server.isGrantAlive(sibling.body.refresh_token)).toBe(false);
  });
});

describe('non-rotating', () => {
  test('answers bring no refresh token, and the first one stays good', async () => {
    await start({ rotation: 'non-rotating' });
    const first = await server.signIn();

    const answers = [await refresh(server, first.refresh_token), await refresh(server, first.refresh_token)];

    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(body).not.toHaveProperty('refresh_token');
      expect(server.isAccessTokenValid(body.access_token)).toBe(true);
    }
    expect(answers[0]?.body.access_token).not.toBe(answers[1]?.body.access_token);
    expect(outcomes()).toEqual(['accepted', 'accepted']);
  });
});

describe('same-token', () => {
  test('the same access token is answered with what is left of its lifetime', async () => {
    await start({ rotation: 'same-token', expiresIn: 10 });
    const first = await server.signIn();
    await clock.advance(4000);

    const { body } = await refresh(server, first.refresh_token);

    expect(body).toEqual({ access_token: first.access_token, token_type: 'Bearer', expires_in: 6 });
  });

  test('a revoked access token is answered again, and a new one once it has expired', async () => {
    await start({ rotation: 'same-token', expiresIn: 10 });
    const first = await server.signIn();
    server.revokeAccessToken(first.access_token);

    expect((await refresh(server, first.refresh_token)).body.access_token).toBe(first.access_token);
    expect(server.isAccessTokenValid(first.access_token)).toBe(false);
    await clock.advance(10_000);
    const { body } = await refresh(server, first.refresh_token);

    expect(body.access_token).not.toBe(first.access_token);
    expect(server.isAccessTokenValid(body.access_token)).toBe(true);
  });
});

test('with accessTokensDieAtRefresh the earlier access token is dead as soon as the exchange took effect', async () => {
  await start({ accessTokensDieAtRefresh: true });
  const first = await server.signIn();

  const { body } = await refresh(server, first.refresh_token);

  expect(server.isAccessTokenValid(first.access_token)).toBe(false);
  expect(server.isAccessTokenValid(body.access_token)).toBe(true);
});
