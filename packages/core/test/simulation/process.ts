import {
  createTokenSource,
  type Authorization,
  type GetAccessTokenOptions,
  type TokenEvent,
  type TokenResponse,
  type TokenSource,
  type TokenSourceOptions,
} from '../../src/index.ts';
import type { Answer, SimulatedServer } from './authorization-server.ts';
import type { BackingStore } from './backing-store.ts';
import type { Host, Scheduler } from './scheduler.ts';
import type { SimulatedTime } from './time.ts';

export const API = 'https://api.example.com';

/** One caller's request for a token, and what it got. */
export interface Call {
  token?: string | undefined;
  error?: { readonly code?: string } | undefined;
  settled: boolean;
}

/** An exchange that its process has not given up. */
export interface Exchange {
  readonly host: Host;
  readonly refreshToken: string | undefined;
  readonly hadLock: boolean;
  /** The stored record said that the refresh token is being spent. */
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
  /** One request more; the resource server refuses `revoked`, and its adapter replays once. */
  request(revoked?: string): Call;
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
    const wasClaimed = backing.record?.claim !== undefined;
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

function follow(promise: Promise<string | undefined>): Call {
  const call: Call = { settled: false };
  promise.then(
    (token) => Object.assign(call, { token, settled: true }),
    (error: unknown) => Object.assign(call, { error: error as Error, settled: true }),
  );
  return call;
}

export function tokenIn(authorization: Authorization | undefined): string | undefined {
  return authorization?.headers['authorization']?.replace('Bearer ', '');
}

async function send(source: TokenSource, revoked: string | undefined): Promise<string | undefined> {
  const authorization = await source.authorize({ url: `${API}/`, method: 'GET' });
  const token = tokenIn(authorization);
  if (authorization === undefined || token !== revoked) return token;
  const response = { url: `${API}/`, status: 401, header: () => undefined };
  const replay = await source.reauthorize(authorization, response, { replayable: true });
  if (replay !== undefined) source.settled(replay, tokenIn(replay) === revoked ? 401 : 200);
  return tokenIn(replay);
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
  function add(promise: Promise<string | undefined>): Call {
    const call = follow(promise);
    calls.push(call);
    return call;
  }
  return {
    host,
    source,
    calls,
    events,
    getAccessToken: (wish) => add(source.getAccessToken(wish)),
    request: (revoked) => add(send(source, revoked)),
    isBusy() {
      if (host.state === 'crashed') return false;
      const { refreshing, durability } = source.status();
      return refreshing || durability === 'dirty' || calls.some(({ settled }) => !settled);
    },
  };
}
