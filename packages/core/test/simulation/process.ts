import {
  createTokenSource,
  type Authorization,
  type GetAccessTokenOptions,
  type TokenEvent,
  type TokenResponse,
  type TokenSource,
  type TokenSourceOptions,
} from '../../src/index.ts';
import { fingerprintOf } from '../../src/fingerprint.ts';
import type { Answer, SimulatedServer } from './authorization-server.ts';
import type { BackingStore } from './backing-store.ts';
import type { Host } from './operation.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedTime } from './time.ts';

export const API = 'https://api.example.com';

/** One caller's request for a token, and what it got. */
export interface Call {
  token?: string | undefined;
  error?: { readonly code?: string } | undefined;
  settled: boolean;
  /** The access token that the resource server refused for this request. */
  refused?: string | undefined;
  /** It was the newest one then. */
  wasCurrent?: boolean;
}

/** An exchange that its process has not given up. */
export interface Exchange {
  readonly host: Host;
  readonly refreshToken: string | undefined;
  readonly hadLock: boolean;
  /** The stored record said that the refresh token is being spent, or held another one by then. */
  readonly wasClaimed: boolean;
  /** It is presented again although an answer with its successor had come, late or not. */
  readonly wasAnswered: boolean;
  /** 1 for the first of its flight. */
  readonly attempt: number;
  /** What came, and whether it came before the process gave up. */
  answer?: TokenResponse | undefined;
  inTime?: boolean;
  ended: boolean;
}

export interface SimulatedProcess {
  readonly host: Host;
  readonly source: TokenSource;
  readonly calls: Call[];
  readonly events: TokenEvent[];
  /** One caller more. */
  getAccessToken(options?: GetAccessTokenOptions): Call;
  /** One request more; the resource server refuses `revoked` (or `EVERYTHING`), and its adapter replays once. */
  request(revoked?: string): Call;
  /** The resource server refuses a request that was sent a while ago. */
  report401(authorization: Authorization): Call;
  /** What the requests were sent with, in order. */
  readonly sent: readonly Authorization[];
  /** A call of another kind. */
  track(promise: Promise<void>): Call;
  /** Whether something is still under way that time or the scheduler will end. */
  isBusy(): boolean;
}

export interface ProcessOptions {
  readonly name: string;
  readonly hints: boolean;
  /** The refresh function goes on although it was given up. */
  readonly ignoresSignal: boolean;
  readonly source: Partial<TokenSourceOptions>;
}

/** What a process is made of. */
export interface Machine {
  readonly time: SimulatedTime;
  readonly server: SimulatedServer;
  readonly backing: BackingStore;
  readonly scheduler: Scheduler;
  readonly exchanges: Exchange[];
}

type Refresh = TokenSourceOptions['refresh'];

function refreshOver(
  { server, scheduler, backing, exchanges }: Machine,
  host: Host,
  ignores: boolean,
): Refresh {
  return async ({ refreshToken, attempt, signal: given }) => {
    const hadLock = backing.lockHolder === host;
    const { claim, tokens: stored } = backing.record ?? {};
    const wasClaimed = claim !== undefined || stored?.refresh_token !== refreshToken;
    const answered = exchanges.find((one) => one.refreshToken === refreshToken && one.answer !== undefined);
    const wasAnswered = answered?.answer?.refresh_token !== undefined && answered.host.state !== 'crashed';
    const exchange: Exchange = {
      host,
      refreshToken,
      attempt,
      hadLock,
      wasClaimed,
      wasAnswered,
      ended: false,
    };
    exchanges.push(exchange);
    given.addEventListener('abort', () => {
      exchange.ended = true;
    });
    const signal = ignores ? undefined : given;
    try {
      const effect = (): Answer => server.present(refreshToken, host.name);
      const { tokens, failure } = await scheduler.perform(host, { kind: 'send', effect, signal });
      await scheduler.perform(host, { kind: 'answer', effect: () => undefined, signal });
      if (tokens === undefined) throw failure!;
      Object.assign(exchange, { answer: tokens, inTime: !exchange.ended });
      return tokens;
    } finally {
      exchange.ended = true;
    }
  };
}

function follow(promise: Promise<string | undefined>, call: Call): void {
  promise.then(
    (token) => Object.assign(call, { token, settled: true }),
    (error: unknown) => Object.assign(call, { error: error as Error, settled: true }),
  );
}

export function tokenIn(authorization: Authorization | undefined): string | undefined {
  return authorization?.headers['authorization']?.replace('Bearer ', '');
}

/** A resource server that takes no access token at all. */
export const EVERYTHING = '*';

function isRefused(token: string | undefined, revoked: string | undefined): boolean {
  return revoked === EVERYTHING || token === revoked;
}

interface Refusal {
  readonly authorization: Authorization;
  /** What the resource server refuses, on the replay too. */
  readonly revoked: string | undefined;
}

/** What an adapter does with a 401. */
async function replay(
  source: TokenSource,
  { authorization, revoked }: Refusal,
  call: Call,
): Promise<string | undefined> {
  const refused = tokenIn(authorization)!;
  Object.assign(call, { refused, wasCurrent: source.status().fingerprint === fingerprintOf(refused) });
  const response = { url: `${API}/`, status: 401, header: () => undefined };
  const fresh = await source.reauthorize(authorization, response, { replayable: true });
  if (fresh !== undefined) source.settled(fresh, isRefused(tokenIn(fresh), revoked) ? 401 : 200);
  return tokenIn(fresh);
}

export function startProcess(machine: Machine, options: ProcessOptions): SimulatedProcess {
  const { scheduler, time, backing } = machine;
  const host: Host = { name: options.name, state: 'running', brokenWrites: 0 };
  const events: TokenEvent[] = [];
  const source = createTokenSource({
    origins: [API],
    refresh: refreshOver(machine, host, options.ignoresSignal),
    store: backing.openStore(host, scheduler, options.hints),
    clock: time.clockOf(host.name),
    random: () => 0.5,
    onEvent: (event) => void events.push(event),
    ...options.source,
  });
  const calls: Call[] = [];
  const sent: Authorization[] = [];
  function add(begin: (call: Call) => Promise<string | undefined>): Call {
    const call: Call = { settled: false };
    calls.push(call);
    follow(begin(call), call);
    return call;
  }
  async function send(call: Call, revoked: string | undefined): Promise<string | undefined> {
    const authorization = await source.authorize({ url: `${API}/`, method: 'GET' });
    if (authorization === undefined) return undefined;
    sent.push(authorization);
    const token = tokenIn(authorization);
    return isRefused(token, revoked) ? replay(source, { authorization, revoked }, call) : token;
  }
  return {
    host,
    source,
    calls,
    events,
    sent,
    // With a signal of its own each caller waits alone: a shared wait would leave most schedules out.
    getAccessToken: (wish) =>
      add(() => source.getAccessToken({ signal: new AbortController().signal, ...wish })),
    request: (revoked) => add((call) => send(call, revoked)),
    report401: (authorization) => add((call) => replay(source, { authorization, revoked: undefined }, call)),
    track: (promise) => add(() => promise.then(() => undefined)),
    isBusy() {
      if (host.state === 'crashed') return false;
      const { refreshing, durability } = source.status();
      return refreshing || durability === 'dirty' || calls.some(({ settled }) => !settled);
    },
  };
}
