import { createHash } from 'node:crypto';
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createResourceServer, type ResourceServer, type ResourceServerOptions } from '@unexpired/testing';

let api: ResourceServer;
const agents: Agent[] = [];

async function start(options: ResourceServerOptions = {}): Promise<void> {
  api = await createResourceServer({ accepts: (token) => token === 'good', ...options });
}

afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  await api.close();
});

const good = { authorization: 'Bearer good' };
const bad = { authorization: 'Bearer bad' };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  return agent;
}

/** Sends with node:http, where header lines can be doubled and connections chosen. */
function send(options: RequestOptions, body = ''): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(api.origin, options, (response) => {
      response.resume();
      response.once('end', () => resolve(response));
    })
      .once('error', reject)
      .end(body);
  });
}

describe('records', () => {
  test('method, URL, headers, body, hash, token and status are what arrived and what was answered', async () => {
    await start();

    const response = await fetch(`${api.origin}/items?page=2`, {
      method: 'PUT',
      headers: { ...good, 'x-odd': '1' },
      body: 'abc',
    });

    const echo = { method: 'PUT', url: '/items?page=2', length: 3, sha256: sha256('abc') };
    expect(await response.json()).toEqual(echo);
    expect(api.requests).toHaveLength(1);
    expect(api.requests[0]).toMatchObject({ ...echo, complete: true, connection: 1, status: 200 });
    expect(api.requests[0]).toMatchObject({ bearerToken: 'good', authorization: ['Bearer good'] });
    expect(api.requests[0]?.headers['x-odd']).toBe('1');
    expect(api.requests[0]?.body).toEqual(Buffer.from('abc'));
  });

  test('two Authorization lines are both seen', async () => {
    await start();

    const lines = ['Authorization', 'Bearer good', 'authorization', 'Bearer bad', 'X-Name', 'authorization'];
    await send({ headers: ['Host', 'x', ...lines, 'X-Last', '1'] as never });

    expect(api.requests[0]?.authorization).toEqual(['Bearer good', 'Bearer bad']);
    expect(api.requests[0]?.rawHeaders.slice(2, 8)).toEqual(lines);
  });

  test('another scheme is no bearer token', async () => {
    await start();

    await fetch(api.origin, { headers: { authorization: 'Basic Z29vZA==' } });

    expect(api.requests[0]).toMatchObject({ bearerToken: undefined, authorization: ['Basic Z29vZA=='] });
  });

  test('connections are counted, and each request knows its own', async () => {
    await start();
    const [one, two] = [keepAlive(), keepAlive()];

    for (const agent of [one, two, one]) await send({ agent, headers: good });

    expect(api.requests.map(({ connection }) => connection)).toEqual([1, 2, 1]);
    expect([api.connections, api.openConnections]).toEqual([2, 2]);
  });

  test('a body that breaks off is recorded as incomplete, with what came of it', async () => {
    await start();
    const client = httpRequest(api.origin, { method: 'POST', headers: { ...good, 'content-length': '10' } });
    client.on('error', () => {});
    await new Promise<void>((resolve) => {
      client.write('abc', () => resolve());
    });
    client.destroy();

    const request = await api.requestArrived();

    expect(request).toMatchObject({ complete: false, length: 3, sha256: sha256('abc'), status: undefined });
  });

  test('without keepBodies only length and hash are kept', async () => {
    await start({ keepBodies: false });

    await fetch(api.origin, { method: 'POST', headers: good, body: 'abc' });

    expect(api.requests[0]).toMatchObject({ length: 3, sha256: sha256('abc') });
    expect(api.requests[0]?.body).toHaveLength(0);
  });
});

describe('tokens', () => {
  test('a token that is not accepted is refused with an invalid_token challenge', async () => {
    await start();

    const response = await fetch(api.origin, { headers: bad });

    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(await response.json()).toEqual({ error: 'invalid_token' });
    expect(api.requests[0]?.status).toBe(401);
  });

  test('a request without a token is challenged without an error code', async () => {
    await start();

    const response = await fetch(api.origin);

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  test('by default any token is good, and none is not', async () => {
    await start({ accepts: undefined });

    expect((await fetch(api.origin, { headers: bad })).status).toBe(200);
    expect((await fetch(api.origin)).status).toBe(401);
  });

  test('accepts sees the request and may do without a token', async () => {
    await start({ accepts: (token, { headers }) => token === undefined && headers['x-api-key'] === 'k' });

    expect((await fetch(api.origin, { headers: { 'x-api-key': 'k' } })).status).toBe(200);
    expect((await fetch(api.origin, { headers: { ...good, 'x-api-key': 'k' } })).status).toBe(401);
  });

  test('the refusal has the status, challenges and body that were asked for', async () => {
    const headers = { 'WWW-Authenticate': ['DPoP algs="ES256"', 'Bearer realm="x"'] };
    await start({ refusal: { status: 403, headers, body: Buffer.alloc(200_000, 'x') } });

    const response = await fetch(api.origin, { headers: bad });

    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toBe('DPoP algs="ES256", Bearer realm="x"');
    expect(await response.text()).toHaveLength(200_000);
  });

  test('a refusal may come without any challenge', async () => {
    await start({ refusal: { headers: {} } });

    const response = await fetch(api.origin, { headers: bad });

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, null]);
  });
});

describe('answers', () => {
  test('an accepted request is answered with what respond says', async () => {
    await start({ respond: (request) => ({ status: 201, body: `for ${request.url}` }) });

    const accepted = await fetch(`${api.origin}/a`, { headers: good });

    expect([accepted.status, await accepted.text()]).toEqual([201, 'for /a']);
    expect((await fetch(api.origin, { headers: bad })).status).toBe(401);
  });

  test('steps come in order and before always, as status, fault or function', async () => {
    await start();
    api.always({ respond: { status: 503 } });
    api.next(401, 200, 418, {}, () => ({ status: 202 }), {
      respond: { status: 302, headers: { Location: '/b' } },
    });
    const statuses = [];
    for (let turn = 0; turn < 7; turn += 1)
      statuses.push((await fetch(api.origin, { headers: good, redirect: 'manual' })).status);

    expect(statuses).toEqual([401, 200, 418, 200, 202, 302, 503]);
    api.always(undefined);
    expect((await fetch(api.origin, { headers: good })).status).toBe(200);
  });

  test('401 as a step refuses a good token with the usual challenge, 200 accepts a bad one', async () => {
    await start();
    api.next(401, 200);

    const refused = await fetch(api.origin, { headers: good });
    const accepted = await fetch(api.origin, { headers: bad });

    expect(refused.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(await accepted.json()).toMatchObject({ method: 'GET', length: 0 });
  });

  test('a redirect leads to another server', async () => {
    await start();
    const other = await createResourceServer();
    api.next({ respond: { status: 307, headers: { Location: `${other.origin}/there` } } });

    const response = await fetch(api.origin, { method: 'POST', headers: good, body: 'abc' });
    await other.close();

    expect(response.url).toBe(`${other.origin}/there`);
    expect(other.requests[0]).toMatchObject({ method: 'POST', sha256: sha256('abc'), authorization: [] });
  });

  test('a failure of the function shows in the answer', async () => {
    await start();
    api.next(() => {
      throw new Error('typo in the test');
    });

    const response = await fetch(api.origin);

    expect([response.status, await response.text()]).toEqual([
      500,
      'The test’s own function failed: Error: typo in the test',
    ]);
  });
});

describe('holds and resets', () => {
  test('a hold at the request comes before the token is judged, one at the answer after', async () => {
    let isGood = true;
    await start({ accepts: () => isGood });
    api.next({ hold: 'request' }, { hold: 'answer' });
    const answers = [fetch(`${api.origin}/1`, { headers: good })];
    await api.requestArrived(1);
    answers.push(fetch(`${api.origin}/2`, { headers: good }));
    await api.requestArrived(2);
    expect(api.held).toBe(2);

    isGood = false;
    expect(api.release()).toBe(2);

    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([401, 200]);
  });

  test('a hold in the body lets the client read headers and half', async () => {
    await start();
    api.next({ hold: 'body', respond: { body: 'abcdef' } });

    const response = await fetch(api.origin, { headers: good });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('abc');
    api.release();

    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('def');
  });

  test.each(['request', 'answer'] as const)(
    'a reset at the %s leaves the client without an answer',
    async (point) => {
      await start();
      api.next({ reset: point });

      await expect(send({ agent: keepAlive(), headers: good })).rejects.toThrow('socket hang up');

      expect(api.requests[0]).toMatchObject({ complete: true, status: undefined });
    },
  );

  test('a reset in the body breaks the answer off', async () => {
    await start();
    api.next({ reset: 'body' });

    const response = await fetch(api.origin, { headers: good });

    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  test('dropConnections destroys idle and busy connections, and the next request opens another', async () => {
    await start();
    const agent = keepAlive();
    await send({ agent, headers: good });
    api.next({ hold: 'answer' });
    const busy = fetch(api.origin, { headers: good });
    await api.requestArrived(2);

    api.dropConnections();

    await expect(busy).rejects.toThrow('fetch failed');
    await send({ agent: keepAlive(), headers: good });
    expect(api.requests.map(({ connection }) => connection)).toEqual([1, 2, 3]);
    expect(api.openConnections).toBe(1);
  });
});

describe('early answers', () => {
  test('come before the body, which is still read and recorded', async () => {
    await start({ early: true });
    const client = httpRequest(api.origin, { method: 'POST', agent: keepAlive(), headers: bad });
    const answered = new Promise<IncomingMessage>((resolve) => client.once('response', resolve));
    client.write('abc');

    const response = await answered;
    const request = await api.requestArrived();
    expect([response.statusCode, request.complete]).toEqual([401, false]);
    response.resume();
    client.end('def');
    await request.ended;

    expect(request).toMatchObject({ complete: true, length: 6, sha256: sha256('abcdef'), status: 401 });
    expect(request.body.toString()).toBe('abcdef');
  });

  test('with Connection: close end the upload', async () => {
    await start();
    api.next({ early: true, respond: { status: 401, headers: { Connection: 'close' } } });
    const client = httpRequest(api.origin, { method: 'POST', headers: bad });
    client.on('error', () => {});
    const closed = new Promise<void>((resolve) => client.once('close', resolve));
    const answered = new Promise<IncomingMessage>((resolve) => client.once('response', resolve));
    client.write('abc');

    const response = (await answered).resume();
    await closed;
    const request = await api.requestArrived();
    await request.ended;

    expect(response.statusCode).toBe(401);
    expect(request).toMatchObject({ complete: false, length: 3 });
  });

  test('may be asked for in one step only', async () => {
    await start();
    api.next({ early: true });
    const client = httpRequest(api.origin, { method: 'POST', headers: good });
    client.on('error', () => {});
    client.flushHeaders();

    const request = await api.requestArrived();

    expect(request.complete).toBe(false);
    client.destroy();
    await request.ended;
  });
});

describe('cors', () => {
  const page = { origin: 'https://app.example' };
  const preflight = {
    method: 'OPTIONS',
    headers: {
      ...page,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'authorization',
    },
  };

  test('answers preflights without recording them, and lets the page read the challenge', async () => {
    await start({ cors: true });

    const allowed = await fetch(api.origin, preflight);
    const refused = await fetch(api.origin, { headers: { ...page, ...bad } });

    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-methods')).toBe('PUT');
    expect(allowed.headers.get('access-control-allow-headers')).toBe('authorization');
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(refused.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
    expect(api.requests).toHaveLength(1);
  });

  test.each([
    ['an OPTIONS request that is no preflight', 'OPTIONS', page, 'https://app.example'],
    ['another method with the header of a preflight', 'PUT', preflight.headers, 'https://app.example'],
    ['a request of no page', 'GET', {}, null],
  ])('%s is recorded', async (_, method, headers, allowed) => {
    await start({ cors: true });

    const response = await send({ method, headers });

    expect([response.statusCode, response.headers['access-control-allow-origin'] ?? null]).toEqual([
      401,
      allowed,
    ]);
    expect(api.requests).toHaveLength(1);
  });

  test('is off by default: a preflight is a request like any other', async () => {
    await start();

    const response = await fetch(api.origin, preflight);

    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([401, null]);
    expect(api.requests).toHaveLength(1);
  });
});

test('closing rejects whoever still waits and cuts who is held', async () => {
  await start();
  api.next({ hold: 'request' });
  const held = fetch(api.origin, { headers: good });
  await api.requestArrived(1);
  const waiting = api.requestArrived(2);

  const [, failure] = await Promise.all([
    api.close(),
    held.catch((error: Error) => error.message),
    expect(waiting).rejects.toThrow('The server was closed after 1 request(s)'),
  ]);

  expect(failure).toBe('fetch failed');
});
