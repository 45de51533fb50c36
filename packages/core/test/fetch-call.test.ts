import { describe, expect, test } from '@jest/globals';
import { createTokenSource, sendFetch, streamOf, type FetchCall, type TokenSource } from '@unexpired/core';

const URL_OF_API = 'https://api.example.com/things';

function createSource(): TokenSource {
  return createTokenSource({
    origins: ['https://api.example.com'],
    refresh: () => ({ access_token: 'second', expires_in: 3600 }),
    tokens: { access_token: 'first', expires_in: 3600 },
  });
}

interface Sending {
  /** What was sent, in turn: undefined or the changes, their headers as they were then. */
  readonly sent: (Record<string, unknown> | undefined)[];
  readonly answer: Promise<Response>;
}

/** Sends one request whose first attempt is answered with `first`. */
function send(call: Partial<FetchCall>, first: () => Promise<Response>): Sending {
  const sent: Sending['sent'] = [];
  const answer = sendFetch(
    { tokens: createSource(), options: {} },
    {
      url: URL_OF_API,
      method: 'POST',
      headers: new Headers(),
      hasAuthorization: false,
      redirect: undefined,
      body: { value: undefined },
      options: undefined,
      native: undefined,
      async send(changes) {
        sent.push(changes && { ...changes, headers: Object.fromEntries(changes.headers as Headers) });
        return sent.length === 1 ? first() : new Response('replayed');
      },
      ...call,
    },
  );
  return { sent, answer };
}

const refused = async (): Promise<Response> => new Response(null, { status: 401 });

describe('sendFetch', () => {
  test('changes the headers, and nothing else, for both attempts', async () => {
    const { sent, answer } = send({ headers: new Headers({ 'X-Mine': 'kept' }) }, refused);

    expect(await (await answer).text()).toBe('replayed');
    expect(sent).toEqual([
      { headers: { 'x-mine': 'kept', authorization: 'Bearer first' } },
      { headers: { 'x-mine': 'kept', authorization: 'Bearer second' } },
    ]);
  });

  test('changes nothing on origins that are not listed', async () => {
    const { sent, answer } = send({ url: 'https://elsewhere.example' }, refused);

    expect((await answer).status).toBe(401);
    expect(sent).toEqual([undefined]);
  });

  test('gives the body again where it was used up with its Request', async () => {
    const request = new Request(URL_OF_API, { method: 'POST', body: 'text' });
    const { sent, answer } = send({ request, body: { value: 'text' } }, async () => {
      await request.text();
      return refused();
    });

    await answer;
    expect(sent[0]).not.toHaveProperty('body');
    expect(sent[1]).toMatchObject({ body: 'text', duplex: 'half' });
  });

  test('sends a Request that was left unread as it is', async () => {
    const request = new Request(URL_OF_API, { method: 'POST', body: 'text' });
    const { sent, answer } = send({ request, body: { value: 'text' } }, refused);

    await answer;
    expect(sent[1]).not.toHaveProperty('body');
  });

  test.each<[string, unknown, Record<string, string>]>([
    ['a text', 'longer', { 'content-type': 'text/csv', authorization: 'Bearer second' }],
    ['a form', new FormData(), { authorization: 'Bearer second' }],
  ])('drops the headers that do not fit %s of a factory', async (_, made, expected) => {
    const headers = new Headers({ 'Content-Length': '4', 'Content-Type': 'text/csv' });
    const { sent, answer } = send(
      { headers, body: { value: 'text' }, options: { body: () => made } },
      refused,
    );

    await answer;
    expect(sent[1]).toEqual({ headers: expected, body: made, duplex: 'half' });
  });

  test('makes no type of a form out of what a factory gives in its place', async () => {
    const headers = new Headers({ 'Content-Type': 'multipart/form-data; boundary=a' });
    const made = new URLSearchParams({ a: 'b' });
    const { sent, answer } = send(
      { headers, body: { value: new FormData() }, options: { body: () => made } },
      refused,
    );

    await answer;
    expect(sent[1]).toEqual({ headers: { authorization: 'Bearer second' }, body: made, duplex: 'half' });
  });

  test('keeps the boundary of a form that the caller wrote, and writes again', async () => {
    const type = 'multipart/form-data; boundary=a';
    const headers = new Headers({ 'Content-Type': type });
    const { sent, answer } = send(
      { headers, body: { value: '--a--' }, options: { body: () => '--a--\n' } },
      refused,
    );

    await answer;
    expect(sent[1]).toMatchObject({ headers: { 'content-type': type } });
  });

  test.each(['GET', 'head'])('asks no factory for the body of a %s request without one', async (method) => {
    const { sent, answer } = send({ method, options: { body: () => 'made' } }, refused);

    await answer;
    expect(sent).toHaveLength(2);
    expect(sent[1]).not.toHaveProperty('body');
  });

  test.each([
    ['GET', 'text'],
    ['POST', undefined],
  ])('asks a factory for the body of a %s request whose first one is %p', async (method, value) => {
    const { sent, answer } = send({ method, body: { value }, options: { body: () => 'made' } }, refused);

    await answer;
    expect(sent[1]).toMatchObject({ body: 'made' });
  });

  test('takes the error that hides a 401 for one', async () => {
    const hiding = new TypeError('fetch failed', { cause: new Error('expected non-null body source') });
    const body = { value: new Blob(['streamed']).stream(), toClientBody: streamOf };
    const { sent, answer } = send({ body }, () => Promise.reject(hiding));

    expect(await (await answer).text()).toBe('replayed');
    expect(sent).toHaveLength(2);
  });

  test.each([undefined, null, 'text', new Error('no network')])(
    'rejects with whatever else was thrown: %p',
    async (failure) => {
      const { sent, answer } = send({}, () => Promise.reject(failure));

      await expect(answer).rejects.toBe(failure);
      expect(sent).toHaveLength(1);
    },
  );
});
