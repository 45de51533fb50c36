import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { invalidOption, type Check, type Checks, type TokenResponse } from '@unexpired/core';
import type { AuthorizationServer } from './authorization-server.ts';
import { checkGiven, NUMBER, OBJECT, TEXT } from './checks.ts';
import { startProcess, type RaceExit, type RaceProcess } from './race-process.ts';
import type { Asking, RaceFailure, RaceOrder, RacePoint, RaceSource, RaceStore } from './race-protocol.ts';

/** An authorization server of this package, or the token endpoint of any other. */
export type RaceServer = Pick<AuthorizationServer, 'tokenEndpoint'> &
  Partial<Pick<AuthorizationServer, 'revocationEndpoint' | 'signIn' | 'presentations' | 'isGrantAlive'>>;

export interface RaceOptions {
  readonly store: RaceStore;
  readonly server: RaceServer;
  /** How many are started. @default 4 */
  readonly processes?: number | undefined;
  /** What they do by themselves once the first of them has signed in. @default nothing before they are told */
  readonly asking?: Asking | undefined;
  /** What the first of them signs in with; null: nobody does. @default `server.signIn()` */
  readonly tokens?: TokenResponse | null | undefined;
  /** @default 'default' */
  readonly account?: string | undefined;
  /** Sent with each token request. @default { client_id: 'race' } */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** How many callers ask in each process at the same time. @default 4 */
  readonly callers?: number | undefined;
  /** Settings of the token sources. */
  readonly source?: RaceSource | undefined;
}

/** What happened in a race so far. */
export interface RaceReport {
  /** How often each refresh token was presented to the server, in the order of the first presentation. */
  readonly presentations: readonly {
    readonly refreshToken: string;
    readonly generation: number | undefined;
    readonly times: number;
  }[];
  /** Whether the grant of the newest access token that a process told of is alive; undefined where none is known. */
  readonly isSignedIn: boolean | undefined;
  /** What callers were rejected with while processes asked by themselves. */
  readonly failures: readonly (RaceFailure & { readonly process: string })[];
  /** Processes that have ended. */
  readonly exits: readonly (RaceExit & { readonly process: string })[];
}

/** Processes that share one credential over one store. */
export interface Race {
  /** All of them, in the order in which they were started, also those that have ended. */
  readonly processes: readonly RaceProcess[];
  /** Starts one more. `unlocked`: it takes no part in the exclusive section, as a program of another make would. */
  add(options?: { readonly unlocked?: boolean | undefined }): Promise<RaceProcess>;
  /** Resolves once `condition` holds; it is asked after each message of a process, and after each end of one. */
  until(condition: () => boolean): Promise<void>;
  /**
   * Resolves once every process that runs holds an access token of this generation or a later one. Rejects where none
   * runs any more, or one is told to sign in again.
   */
  untilGeneration(generation: number): Promise<void>;
  /** Resolves with the first process that comes to the point, and waits there; those that come later wait too. */
  hold(point: RacePoint): Promise<RaceProcess>;
  /** Lets all processes go on from there. */
  release(point: RacePoint): void;
  report(): RaceReport;
  /** Kills what still runs; resolves when all processes are gone. */
  end(): Promise<RaceReport>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

const MODULE: Check = ['a URL or an absolute path', isModule];

const CHECKS: Checks = {
  store: OBJECT,
  server: ['a server with a tokenEndpoint', (value) => typeof tokenEndpointOf(value) === 'string'],
  processes: NUMBER,
  asking: ["'expiry' or 'refusal'", (value) => value === 'expiry' || value === 'refusal'],
  tokens: ['a token response or null', (value) => typeof value === 'object'],
  account: TEXT,
  parameters: OBJECT,
  callers: NUMBER,
  source: OBJECT,
};

const STORE_CHECKS: Checks = { module: MODULE, export: TEXT, options: ['plain JSON', () => true] };

function tokenEndpointOf(server: unknown): unknown {
  return (server as { tokenEndpoint?: unknown } | null)?.tokenEndpoint;
}

function isModule(value: unknown): boolean {
  return (
    value instanceof URL || (typeof value === 'string' && (isAbsolute(value) || URL.parse(value) !== null))
  );
}

function urlOf(module: URL | string): string {
  return typeof module === 'string' && isAbsolute(module) ? pathToFileURL(module).href : String(module);
}

function checkRaceOptions(options: RaceOptions): void {
  checkGiven(options, CHECKS, 'store', 'server');
  checkGiven(options.store, STORE_CHECKS, 'module');
  const { server, tokens } = options;
  if (tokens === undefined && server.signIn === undefined)
    throw invalidOption('tokens', 'a token response, since `server` has no signIn()', tokens);
}

const isRunning = ({ exit }: RaceProcess): boolean => exit === undefined;

interface Course {
  readonly options: RaceOptions;
  readonly processes: RaceProcess[];
  readonly starting: Set<Promise<RaceProcess>>;
  readonly watchers: Set<() => void>;
  started: number;
  ended: boolean;
}

function orderOf({ options, started }: Course, unlocked: boolean): RaceOrder {
  const { store, server, account = 'default', parameters = { client_id: 'race' } } = options;
  return {
    name: `${account}-${started}`,
    store: {
      module: urlOf(store.module),
      export: store.export ?? 'default',
      options: store.options,
    },
    account,
    tokenEndpoint: server.tokenEndpoint,
    revocationEndpoint: server.revocationEndpoint,
    parameters,
    callers: options.callers ?? 4,
    source: options.source ?? {},
    unlocked,
  };
}

async function addProcess(course: Course, unlocked: boolean): Promise<RaceProcess> {
  if (course.ended) throw new Error('The race has ended.');
  course.started += 1;
  const starting = startProcess(orderOf(course, unlocked), () => {
    for (const look of course.watchers) look();
  });
  course.starting.add(starting);
  try {
    const process = await starting;
    course.processes.push(process);
    return process;
  } finally {
    course.starting.delete(starting);
  }
}

/** Resolves with what `find` finds, once it does. */
function untilFound<T>({ watchers }: Course, find: () => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      try {
        const found = find();
        if (found === undefined) return;
        watchers.delete(look);
        resolve(found);
      } catch (error) {
        watchers.delete(look);
        reject(error as Error);
      }
    };
    watchers.add(look);
    look();
  });
}

function reportOf({ options, processes }: Course): RaceReport {
  const { server, account = 'default' } = options;
  const times = new Map<string, { refreshToken: string; generation: number | undefined; times: number }>();
  for (const { refreshToken, generation, account: of } of server.presentations ?? []) {
    if (of !== undefined && of !== account) continue;
    const known = times.get(refreshToken) ?? { refreshToken, generation, times: 0 };
    times.set(refreshToken, { ...known, times: known.times + 1 });
  }
  const newest = processes.findLast(({ token }) => token !== undefined)?.token;
  return {
    presentations: [...times.values()],
    isSignedIn: newest && server.isGrantAlive?.(newest.accessToken),
    failures: processes.flatMap(({ name, failures }) =>
      failures.map((failure) => ({ ...failure, process: name })),
    ),
    exits: processes.flatMap(({ name, exit }) => (exit === undefined ? [] : [{ ...exit, process: name }])),
  };
}

async function endAll(course: Course): Promise<RaceReport> {
  const report = reportOf(course);
  course.ended = true;
  await Promise.allSettled(course.starting);
  await Promise.all(course.processes.filter(isRunning).map((process) => process.kill()));
  return report;
}

/** Throws where nobody is left who could go on, or somebody was told since to sign in again. */
function ensureHope(processes: readonly RaceProcess[], before: readonly number[]): void {
  if (!processes.some(isRunning)) throw new Error('Every process of the race has ended.');
  for (const [index, { name, failures }] of processes.entries()) {
    const isLost = ({ code }: RaceFailure): boolean => code === 'ERR_REAUTHENTICATION_REQUIRED';
    const failure = failures.slice(before[index] ?? 0).find(isLost);
    if (failure !== undefined) throw new Error(`Process ${name} was signed out: ${failure.message}`);
  }
}

function raceOf(course: Course): Race {
  const { processes } = course;
  const running = (): RaceProcess[] => processes.filter(isRunning);
  return {
    processes,
    add: ({ unlocked = false } = {}) => addProcess(course, unlocked),
    until: async (condition) => void (await untilFound(course, () => condition() || undefined)),
    async untilGeneration(generation) {
      const before = processes.map(({ failures }) => failures.length);
      await untilFound(course, () => {
        ensureHope(processes, before);
        return (
          running().every(({ token }) => token !== undefined && token.generation >= generation) || undefined
        );
      });
    },
    async hold(point) {
      for (const process of running()) process.hold(point).catch(() => undefined);
      return untilFound(course, () => processes.find(({ heldAt }) => heldAt === point));
    },
    release(point) {
      for (const process of running()) process.release(point);
    },
    report: () => reportOf(course),
    end: () => endAll(course),
    [Symbol.asyncDispose]: async () => void (await endAll(course)),
  };
}

/**
 * Starts processes that share one credential over one store, each with a token source of its own. They ask for access
 * tokens and send no requests. They die with this process.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export async function startRace(options: RaceOptions): Promise<Race> {
  checkRaceOptions(options);
  const { server, processes: count = 4, account = 'default', asking } = options;
  const course: Course = {
    options,
    processes: [],
    starting: new Set(),
    watchers: new Set(),
    started: 0,
    ended: false,
  };
  try {
    await Promise.all(Array.from({ length: count }, () => addProcess(course, false)));
    const tokens = options.tokens === undefined ? await server.signIn!({ account }) : options.tokens;
    if (tokens !== null) await course.processes[0]?.signIn(tokens);
  } catch (error) {
    await endAll(course);
    throw error;
  }
  for (const process of course.processes) process.ask(asking);
  return raceOf(course);
}
