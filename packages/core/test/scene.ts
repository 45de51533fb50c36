import {
  createTokenSource,
  type Authorization,
  type AuthorizeRequest,
  type RefreshFunction,
  type RefreshRequest,
  type ReplayOptions,
  type ResponseFacts,
  type TokenEvent,
  type TokenResponse,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import { createFakeClock, type AuthorizationServer, type FakeClock } from '@unexpired/testing';

export const API = 'https://api.example.com';

/** Ages of a token that lives an hour, with `random: () => 0`: a quarter is left, and the leeway of a minute. */
export const DUE_MS = 2_700_001;
export const EXPIRED_MS = 3_540_001;
export const COOL_DOWN_MS = 5 * 60_000;

/** The tokens of one generation. */
export function tokens(generation: number, more: TokenResponse = {}): TokenResponse {
  return {
    access_token: `access-${generation}`,
    refresh_token: `refresh-${generation}`,
    token_type: 'Bearer',
    expires_in: 3600,
    ...more,
  };
}

export type Step = (request: RefreshRequest) => ReturnType<RefreshFunction>;

/** What a token endpoint answers, as a step of a scripted refresh function. */
export function answer(body: unknown, status = 200, headers: Record<string, string> = {}): Step {
  return () => new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
}

export function oauthError(error: string, status = 400): Step {
  return answer({ error }, status);
}

/** A failure that says that nothing was sent. */
export function notSent(): never {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) });
}

/** A failure after the request was written: the refresh token may be spent. */
export function lostAnswer(): never {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNRESET' }) });
}

export interface ScriptedRefresh extends RefreshFunction {
  readonly calls: readonly RefreshRequest[];
  /** One step for each of the next calls; after them each call brings the next generation. */
  next(...steps: Step[]): void;
  /** The step of every call that `next` has none for. */
  always(step: Step | undefined): void;
}

export function scriptedRefresh(): ScriptedRefresh {
  const calls: RefreshRequest[] = [];
  const queue: Step[] = [];
  let standing: Step | undefined;
  let generation = 1;
  const refresh = (request: RefreshRequest): ReturnType<RefreshFunction> => {
    calls.push(request);
    const step = queue.shift() ?? standing;
    if (step !== undefined) return step(request);
    generation += 1;
    return tokens(generation);
  };
  return Object.assign(refresh, {
    calls,
    next: (...steps: Step[]) => void queue.push(...steps),
    always(step: Step | undefined) {
      standing = step;
    },
  });
}

/** The refresh grant over fetch, without anything that the library could add. */
export function refreshAt(server: AuthorizationServer): RefreshFunction {
  return ({ refreshToken, signal }) =>
    fetch(server.tokenEndpoint, {
      method: 'POST',
      signal,
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: refreshToken ?? '',
        client_id: 'cli',
      }),
    });
}

export interface Scene {
  readonly clock: FakeClock;
  readonly refresh: ScriptedRefresh;
  readonly events: TokenEvent[];
  readonly source: TokenSource;
}

type SceneOptions = Omit<Partial<TokenSourceOptions>, 'clock'> & { readonly clock?: FakeClock };

/** A source with an hour-long first generation, whose time and chance the test rules. */
export function createScene(options: SceneOptions = {}): Scene {
  const clock = options.clock ?? createFakeClock();
  const refresh = scriptedRefresh();
  const events: TokenEvent[] = [];
  const source = createTokenSource({
    origins: [API],
    refresh,
    tokens: tokens(1),
    random: () => 0,
    onEvent: (event) => void events.push(event),
    ...options,
    clock,
  });
  return { clock, refresh, events, source };
}

/** A scene whose token was used once and is now this old. */
export async function createAgedScene(ageMs: number, options: SceneOptions = {}): Promise<Scene> {
  const scene = createScene(options);
  await scene.source.getAccessToken();
  await scene.clock.advance(ageMs);
  return scene;
}

/** Waits for what needs I/O and timers that are due at once, and for nothing that needs time. */
export async function settled<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  let done = false;
  const finish = (): void => {
    done = true;
  };
  promise.then(finish, finish);
  for (let turn = 0; !done; turn += 1) {
    if (turn > 100_000) throw new Error('It waits for time to pass, or for ever.');
    await clock.advance(0);
  }
  return promise;
}

/** What became of a promise so far. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'fulfilled' | 'rejected'> {
  let state: 'pending' | 'fulfilled' | 'rejected' = 'pending';
  promise.then(
    () => (state = 'fulfilled'),
    () => (state = 'rejected'),
  );
  await new Promise(setImmediate);
  return state;
}

/** The error of a promise that rejects. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('It did not reject.');
}

/** One attempt of an adapter's request. */
export async function authorize(
  source: TokenSource,
  more: Partial<AuthorizeRequest> = {},
): Promise<Authorization> {
  const authorization = await source.authorize({ url: `${API}/items`, method: 'GET', ...more });
  if (authorization === undefined) throw new Error('It was not authorized.');
  return authorization;
}

/** The value of the Authorization header. */
export async function headerFrom(source: TokenSource): Promise<string | undefined> {
  return (await authorize(source)).headers['authorization'];
}

/** Tells the source of a refused attempt, as an adapter does. */
export function refuse(
  source: TokenSource,
  authorization: Authorization,
  {
    replayable = true,
    signal,
    challenge,
    ...facts
  }: Partial<ResponseFacts & ReplayOptions> & { challenge?: string } = {},
): Promise<Authorization | undefined> {
  const response = { url: `${API}/items`, status: 401, header: () => challenge, ...facts };
  return source.reauthorize(authorization, response, { replayable, signal });
}

export function typesOf(events: readonly TokenEvent[]): string[] {
  return events.map(({ type }) => type);
}
