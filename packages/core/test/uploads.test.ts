import { expect, test } from '@jest/globals';
import { explain401, sendGuarded, type TokenSource, type Transport } from '@unexpired/core';
import { API, createScene, stateOf, tokens } from './scene.ts';

interface Answer {
  readonly status: number;
  readonly authorization: string | undefined;
  /** What a server that read to the end saw. */
  readonly text?: string;
}

type Reader = AsyncIterator<string>;

/** A client whose first attempt is refused before the body was read to its end. */
function createClient({ onDiscard = () => undefined }: { onDiscard?: () => void | Promise<void> } = {}) {
  const client = { first: undefined as Reader | undefined };
  const transport: Transport<Answer> = {
    async send(authorization, body) {
      const header = authorization?.headers['authorization'];
      const reader = (body as AsyncIterable<string>)[Symbol.asyncIterator]();
      if (client.first === undefined) {
        client.first = reader;
        await reader.next();
        return { status: 401, authorization: header };
      }
      let text = '';
      for (let { done, value } = await reader.next(); !done; { done, value } = await reader.next()) {
        text += typeof value === 'string' ? value : new TextDecoder().decode(value as Uint8Array);
      }
      return { status: 200, authorization: header, text };
    },
    facts: (native) => ({ url: undefined, status: native.status, header: () => undefined, native }),
    discard: async () => onDiscard(),
  };
  return Object.assign(client, { transport });
}

function upload(source: TokenSource, body: unknown, transport: Transport<Answer>): Promise<Answer> {
  const request = {
    url: `${API}/items`,
    method: 'POST',
    hasAuthorization: false,
    body: { value: body },
    options: undefined,
    native: undefined,
  };
  return sendGuarded({ tokens: source, options: {} }, request, transport);
}

async function* chunks(...texts: string[]): AsyncGenerator<string> {
  yield* texts;
}

test('an upload that outgrows what is kept while the refresh is waited for is answered with its 401', async () => {
  const { source, refresh } = createScene({ limits: { replayBytes: 4 } });
  const exchange = Promise.withResolvers<ReturnType<typeof tokens>>();
  refresh.next(() => exchange.promise);
  const client = createClient();
  const sending = upload(source, chunks('ab', 'cd', 'ef'), client.transport);
  expect(await stateOf(sending)).toBe('pending');

  await client.first!.next();
  await client.first!.next();
  exchange.resolve(tokens(2));

  const answer = await sending;
  expect(answer).toEqual({ status: 401, authorization: 'Bearer access-1' });
  expect(explain401(answer)).toMatchObject({ reason: 'body-spent', fresh: true });
});

test('an upload that is read on after its replay was decided is replayed byte for byte', async () => {
  const { source } = createScene({ limits: { replayBytes: 4 } });
  const client = createClient({
    async onDiscard() {
      for (let n = 0; n < 3; n += 1) await client.first!.next();
    },
  });

  const answer = await upload(source, chunks('ab', 'cd', 'ef', 'gh'), client.transport);

  expect(answer).toEqual({ status: 200, authorization: 'Bearer access-2', text: 'abcdefgh' });
});

test('a chunk that was being read when the replay was decided is replayed although it is too long', async () => {
  const { source } = createScene({ limits: { replayBytes: 4 } });
  const arriving = Promise.withResolvers<void>();
  async function* slowly(): AsyncGenerator<string> {
    yield 'ab';
    await arriving.promise;
    yield 'cdef';
    yield 'gh';
  }
  let reading: Promise<unknown> | undefined;
  const client = createClient({
    async onDiscard() {
      arriving.resolve();
      await reading;
    },
  });
  const transport: Transport<Answer> = {
    ...client.transport,
    async send(authorization, body) {
      const answer = await client.transport.send(authorization, body);
      reading ??= client.first!.next();
      return answer;
    },
  };

  expect(await upload(source, slowly(), transport)).toMatchObject({ status: 200, text: 'abcdefgh' });
});
