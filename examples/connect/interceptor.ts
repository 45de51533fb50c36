import { Code, ConnectError, type Interceptor } from '@connectrpc/connect';
import type { Authorization, ResponseFacts, TokenSource } from '@unexpired/core';

type Send = ReturnType<Interceptor>;
type Call = Parameters<Send>[0];
type Answer = Awaited<ReturnType<Send>>;

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** A call that streams what it sends can be made once. */
function isReplayable({ stream, method }: Call): boolean {
  return !stream || method.methodKind === 'server_streaming';
}

/** Makes a replayable call anew for each attempt. */
async function prepare(call: Call): Promise<() => Call> {
  if (!call.stream || !isReplayable(call)) return () => call;
  const messages = await collect(call.message);
  return () => ({ ...call, message: each(messages) });
}

async function* startWith<T>(first: IteratorResult<T>, rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    for (let item = first; item.done !== true; item = await rest.next()) yield item.value;
  } finally {
    await rest.return?.();
  }
}

/** Waits for the first message of a stream: a server may refuse it at its end, after a status of 200. */
async function begun(answer: Answer): Promise<Answer> {
  if (!answer.stream) return answer;
  const messages = answer.message[Symbol.asyncIterator]();
  return { ...answer, message: startWith(await messages.next(), messages) };
}

function refusalOf(error: unknown, url: string): ResponseFacts | undefined {
  if (!(error instanceof ConnectError) || error.code !== Code.Unauthenticated) return undefined;
  return { url, status: 401, header: (name) => error.metadata.get(name), native: error };
}

interface Outcome {
  readonly answer?: Answer;
  readonly error?: unknown;
  readonly refusal?: ResponseFacts | undefined;
}

/** Put it last in `interceptors`, which is innermost: one that repeats calls then sends the token of the moment. */
export function connectAuth(tokens: TokenSource): Interceptor {
  return (next) => async (call) => {
    const { url, requestMethod: method, signal } = call;
    const standAside = call.header.has('authorization') ? 'own-header' : undefined;
    const replayable = isReplayable(call);
    const authorization = await tokens.authorize({ url, method, signal, standAside, oneShot: !replayable });
    if (authorization === undefined) return next(call);

    const make = await prepare(call);
    async function attempt({ headers }: Authorization): Promise<Outcome> {
      const header = new Headers(call.header);
      for (const [name, value] of Object.entries(headers)) header.set(name, value);
      try {
        return { answer: await begun(await next({ ...make(), header })) };
      } catch (error) {
        return { error, refusal: refusalOf(error, url) };
      }
    }
    let outcome = await attempt(authorization);
    const replay =
      outcome.refusal && (await tokens.reauthorize(authorization, outcome.refusal, { replayable, signal }));
    if (replay !== undefined) {
      outcome = await attempt(replay);
      const status = outcome.answer === undefined ? outcome.refusal?.status : 200;
      if (status !== undefined) tokens.settled(replay, status, outcome.refusal);
    }
    if (outcome.answer === undefined) throw outcome.error;
    return outcome.answer;
  };
}
