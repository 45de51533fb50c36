import type { Reuse } from '../../src/index.ts';
import { LIFETIME_MS, type Mode } from './authorization-server.ts';
import type { Call, SimulatedProcess } from './process.ts';
import { firstMove, letPass, type Choose, type World } from './world.ts';

export interface Scenario {
  readonly mode: Mode;
  readonly reuse?: Reuse | undefined;
  /** What the access token is when the round begins; `refused`: valid by the clock, and refused by the API. */
  readonly access: 'due' | 'expired' | 'refused';
  /** The processes held the token before; else they read the store for the first time. */
  readonly warm: boolean;
  /** How many faults may happen. */
  readonly faults: number;
  /** How many expiries there are. @default 1 */
  readonly rounds?: number;
  readonly hints?: boolean;
  readonly ignoresSignal?: boolean;
  readonly names?: readonly string[];
}

/** What was played. */
export interface Played {
  readonly world: World;
  /** What the callers of the last round got. */
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

function begin(world: World, scenario: Scenario, names: readonly string[]): void {
  const { reuse, hints = false, ignoresSignal = false } = scenario;
  for (const name of names) world.start({ name, hints, ignoresSignal, source: { profile: { reuse } } });
}

type RoundCalls = Played['calls'];

/** Two callers in each process. */
async function ask(
  world: World,
  { revoked, choose }: { revoked: string | undefined; choose: Choose },
): Promise<RoundCalls> {
  const calls = world.processes.filter(isAlive).flatMap((by) => [
    { by, call: by.request(revoked) },
    { by, call: revoked === undefined ? by.getAccessToken() : by.request(revoked) },
  ]);
  world.trace.push('|');
  await world.run(choose);
  world.trace.push('|');
  await letPass(world, 10_000);
  return calls;
}

/** Plays all rounds, each an expiry; what crashed in one is started anew for the next. */
export async function playRounds(world: World, scenario: Scenario, choose: Choose): Promise<Played> {
  await signInOnce(world);
  const { names = ['A', 'B'], rounds = 1 } = scenario;
  begin(world, scenario, names);
  if (scenario.warm) for (const one of world.processes.filter(isAlive)) one.getAccessToken();
  await letPass(world, 0);
  world.time.pass(AGES[scenario.access]);
  world.faultsLeft = scenario.faults;
  const revoked = scenario.access === 'refused' ? world.server.newestAccessToken : undefined;
  let calls = await ask(world, { revoked, choose });
  for (let round = 2; round <= rounds; round += 1) {
    world.time.pass(LIFETIME_MS);
    begin(
      world,
      scenario,
      names.slice(world.processes.filter(isAlive).length).map((name) => name + round),
    );
    calls = await ask(world, { revoked, choose });
  }
  for (const { host } of world.processes) host.brokenWrites = 0;
  begin(world, scenario, ['later']);
  return { world, calls, revoked, survivors: world.processes.filter(isAlive) };
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
