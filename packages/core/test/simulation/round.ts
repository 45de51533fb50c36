import type { Reuse } from '../../src/index.ts';
import { LIFETIME_MS, type Mode } from './authorization-server.ts';
import type { Call, SimulatedProcess } from './process.ts';
import { firstMove, letPass, type Choose, type World } from './world.ts';

export interface Scenario {
  readonly mode: Mode;
  readonly reuse?: Reuse;
  /** What the access token is when the round begins; `refused`: valid by the clock, and refused by the API. */
  readonly access: 'due' | 'expired' | 'refused';
  /** The processes held the token before; else they read the store for the first time. */
  readonly warm: boolean;
  /** How many faults may happen. */
  readonly faults: number;
  readonly hints?: boolean;
  readonly ignoresSignal?: boolean;
  readonly names?: readonly string[];
}

/** One played round, before and after. */
export interface Played {
  readonly world: World;
  /** What the callers of the round got. */
  readonly calls: readonly { readonly by: SimulatedProcess; readonly call: Call }[];
  readonly revoked: string | undefined;
  /** The processes that live, and one that came later. */
  readonly survivors: readonly SimulatedProcess[];
}

const AGES = { due: 0.82 * LIFETIME_MS, expired: LIFETIME_MS, refused: 0.25 * LIFETIME_MS };

/** Somebody signed in, in a process that has ended. */
async function signInOnce(world: World): Promise<void> {
  const first = world.start({ name: 'first' });
  const signedIn = first.source.signIn(world.server.signIn());
  await letPass(world, 0);
  await signedIn;
  world.scheduler.crash(first.host);
}

async function begin(world: World, scenario: Scenario): Promise<SimulatedProcess[]> {
  const { names = ['A', 'B'], reuse, hints = false, ignoresSignal = false } = scenario;
  const source = { profile: { reuse } };
  const processes = names.map((name) => world.start({ name, hints, ignoresSignal, source }));
  if (scenario.warm) for (const one of processes) one.getAccessToken();
  await letPass(world, 0);
  world.time.pass(AGES[scenario.access]);
  return processes;
}

/** Two callers in each process, one expiry. */
export async function playRound(world: World, scenario: Scenario, choose: Choose): Promise<Played> {
  await signInOnce(world);
  const processes = await begin(world, scenario);
  const revoked = scenario.access === 'refused' ? world.server.newestAccessToken : undefined;
  const calls = processes.flatMap((by) => [
    { by, call: by.request(revoked) },
    { by, call: revoked === undefined ? by.getAccessToken() : by.request(revoked) },
  ]);
  world.faultsLeft = scenario.faults;
  world.trace.push('|');
  await world.run(choose);
  world.faultsLeft = 0;
  world.trace.push('|');
  await letPass(world, 10_000);
  const later = world.start({ name: 'later', source: { profile: { reuse: scenario.reuse } } });
  return { world, calls, revoked, survivors: [...processes, later].filter(isAlive) };
}

function isAlive({ host }: SimulatedProcess): boolean {
  return host.state !== 'crashed';
}

/** One request by each survivor, the last one first. */
export async function askAll(
  world: World,
  survivors: readonly SimulatedProcess[],
  revoked?: string,
): Promise<Call[]> {
  const calls: Call[] = [];
  for (const one of survivors.toReversed()) {
    calls.push(one.request(revoked));
    await world.run(firstMove);
  }
  return calls;
}
