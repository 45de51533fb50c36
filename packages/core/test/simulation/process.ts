import {
  createTokenSource,
  type Authorization,
  type GetAccessTokenOptions,
  type TokenEvent,
  type TokenResponse,
  type TokenSource,
  type TokenSourceOptions,
} from '../../src/index.ts';
import type { SimulatedServer } from './authorization-server.ts';
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
  answer?: TokenResponse | undefined;
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

/** As axios throws it. */
function invalidGrant(): Error {
  const response = { status: 400, headers: {}, data: { error: 'invalid_grant' } };
  return Object.assign(new Error('Request failed with status code 400'), { response });
}

type Refresh = TokenSourceOptions['refresh'];

function refreshOver(
  { server, scheduler, backing, exchanges }: Machine,
  host: Host,
  ignores: boolean,
): Refresh {
  return async ({ refreshToken, signal: given }) => {
    const hadLock = backing.lockHolder === host;
    const exchange: Exchange = { host, refreshToken, hadLock, ended: false };
    exchanges.push(exchange);
    given.addEventListener('abort', () => {
      exchange.ended = true;
    });
    const signal = ignores ? undefined : given;
    try {
      const effect = (): TokenResponse | undefined => server.present(refreshToken, host.name);
      const granted = await scheduler.perform(host, { kind: 'send', effect, signal });
      await scheduler.perform(host, { kind: 'answer', effect: () => undefined, signal });
      if (granted === undefined) throw invalidGrant();
      if (!exchange.ended) exchange.answer = granted;
      return granted;
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
  const host: Host = { name: options.name, state: 'running' };
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
