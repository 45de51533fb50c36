import { createAuthorizationServer, type AuthorizationServer } from './authorization-server.ts';
import type { AuthorizationServerOptions } from './authorization-server.ts';
import { startRace, type Race, type RaceOptions } from './race.ts';
import type { RaceProcess } from './race-process.ts';
import type { RaceStore } from './race-protocol.ts';

/** Where records are kept, empty, for one case. */
export interface RacePlace {
  readonly store: RaceStore;
  /** Removes what the case left. */
  readonly close?: (() => void | Promise<void>) | undefined;
}

/**
 * Who frees the lock of a holder that died or hangs: the operating system does so at its death, and never before; a
 * lease runs out.
 */
export type LockKind = 'system' | 'lease';

/** How much the cases do. */
export interface Counts {
  readonly processes: number;
  readonly generations: number;
  readonly rounds: number;
  /** Rounds with a server that tolerates a repeat, where less can be lost. */
  readonly graceRounds: number;
}

/** What a case of the process suite has around it. */
export interface Scene extends Counts {
  readonly lock: LockKind;
  /** Every one is closed after the case. */
  readonly serve: (options?: AuthorizationServerOptions) => Promise<AuthorizationServer>;
  /** Processes over the place of this case; every one is ended after it. */
  readonly race: (options: Omit<RaceOptions, 'store'>) => Promise<Race>;
}

/** One case of the process suite. */
export interface ProcessCase {
  readonly name: string;
  /** The kind of lock that it is about. @default any */
  readonly lock?: LockKind;
  /** How long it may take. */
  readonly limitMs: (counts: Counts) => number;
  readonly run: (scene: Scene) => Promise<void>;
}

/** For most cases; a slow machine is no failure. */
export const aMinute = (): number => 60_000;

/** The first two processes of a race that do only what they are told. */
export function pairOf(race: Race): readonly [RaceProcess, RaceProcess] {
  const [one, two] = race.processes;
  return [one!, two!];
}

/** What a promise was rejected with; undefined where it was not. */
export async function rejectionOf(
  promise: Promise<unknown>,
): Promise<(Error & { code?: string }) | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function describe(race: Race): string {
  const { presentations, failures, isSignedIn } = race.report();
  const processes = race.processes.map(({ name, token, points, heldAt, exit }) => ({
    name,
    generation: token?.generation,
    lastPoints: points.slice(-5),
    heldAt,
    exit,
  }));
  const times = presentations.map((one) => `${one.generation}: ${one.times}`);
  return JSON.stringify(
    { isSignedIn, processes, times: times.slice(-5), failures: failures.slice(-3) },
    null,
    1,
  );
}

/** Runs one case with all that it starts, and tells what its processes were doing where it takes too long. */
export async function runProcessCase(
  { run, limitMs }: ProcessCase,
  { place, lock, counts }: { place: RacePlace; lock: LockKind; counts: Counts },
): Promise<void> {
  const servers: AuthorizationServer[] = [];
  const races: Race[] = [];
  const starting: Promise<Race>[] = [];
  let over = false;
  const scene: Scene = {
    ...counts,
    lock,
    async serve(options) {
      const server = await createAuthorizationServer(options);
      servers.push(server);
      return server;
    },
    async race(options) {
      if (over) throw new Error('The case is over.');
      const start = startRace({ store: place.store, ...options });
      starting.push(start);
      races.push(await start);
      return start;
    },
  };
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`The case did not end: ${races.map(describe).join('\n')}`)),
    limitMs(counts),
  );
  try {
    await Promise.race([run(scene), late.promise]);
  } finally {
    clearTimeout(timer);
    // A part of the case may have failed while others are still on their way.
    over = true;
    await Promise.allSettled(starting);
    await Promise.all(races.map((race) => race.end()));
    await Promise.all(servers.map((server) => server.close()));
  }
}
