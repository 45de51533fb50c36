import { createServer, type Mode, type SimulatedServer } from './authorization-server.ts';
import { createBackingStore, type BackingStore } from './backing-store.ts';
import { startProcess, type Exchange, type ProcessOptions, type SimulatedProcess } from './process.ts';
import { createScheduler, type Move, type Scheduler } from './scheduler.ts';
import { createTime, settle, type SimulatedTime } from './time.ts';

/** Who decides what happens next. */
export interface Choose {
  /** One of so many moves. */
  pick(count: number): number;
  /** Whether a fault may be among the next moves. */
  allowsFault(): boolean;
}

/** A fault that happened, and what it means. */
export interface Damage {
  readonly name: NonNullable<Move['fault']>['name'];
  readonly kind: NonNullable<Move['fault']>['kind'];
  readonly host: string;
  /** The server had issued tokens that were not durable yet. */
  readonly insideWindow: boolean;
}

export interface World {
  readonly time: SimulatedTime;
  readonly server: SimulatedServer;
  readonly backing: BackingStore;
  readonly scheduler: Scheduler;
  readonly processes: SimulatedProcess[];
  readonly exchanges: Exchange[];
  readonly damages: Damage[];
  readonly trace: string[];
  /** How many faults may still happen. */
  faultsLeft: number;
  start(options: Partial<ProcessOptions> & { name: string }): SimulatedProcess;
  /** Makes one of the possible moves, and lets everything settle; false if there is none. */
  step(choose: Choose): Promise<boolean>;
  /** Steps until no process is busy. */
  run(choose: Choose): Promise<void>;
}

export interface WorldOptions {
  readonly mode: Mode;
  /** Called whenever everything has settled after a move. */
  readonly check: (world: World) => void;
}

/** A schedule that has not ended after so many moves never will. */
const LONGEST = 2000;

export const firstMove: Choose = { pick: () => 0, allowsFault: () => false };

function isExposed({ server, backing }: World): boolean {
  return backing.record?.tokens?.access_token !== server.newestAccessToken;
}

async function step(world: World, choose: Choose): Promise<boolean> {
  const moves = world.scheduler.moves(world.faultsLeft > 0 && choose.allowsFault());
  if (moves.length === 0) return false;
  const move = moves[choose.pick(moves.length)]!;
  const { fault } = move;
  world.trace.push(move.name);
  move.make();
  if (fault !== undefined) {
    const { name, kind, host } = fault;
    world.faultsLeft -= 1;
    world.damages.push({ name, kind, host: host.name, insideWindow: isExposed(world) });
  }
  await settle();
  return true;
}

export function createWorld({ mode, check }: WorldOptions): World {
  const time = createTime();
  const backing = createBackingStore();
  const server = createServer(mode, () => time.monotonic());
  const world: World = {
    time,
    server,
    backing,
    scheduler: createScheduler(time, (host) => backing.freeLock(host)),
    processes: [],
    exchanges: [],
    damages: [],
    trace: [],
    faultsLeft: 0,
    start(options) {
      const started = startProcess(world, { hints: false, ignoresSignal: false, source: {}, ...options });
      world.processes.push(started);
      return started;
    },
    async step(choose) {
      const moved = await step(world, choose);
      if (moved) check(world);
      return moved;
    },
    async run(choose) {
      await settle();
      check(world);
      for (let steps = 0; world.processes.some((one) => one.isBusy()); steps += 1) {
        if (steps > LONGEST || !(await world.step(choose))) throw new Error('the processes wait for nothing');
      }
    },
  };
  return world;
}

/** Lets time pass without faults: what is under way goes on, timers are called when they are due. */
export async function letPass(world: World, ms: number): Promise<void> {
  await settle();
  const until = world.time.monotonic() + ms;
  for (let steps = 0; steps < LONGEST; steps += 1) {
    const next = world.scheduler.moves(false)[0];
    if (next === undefined || (next.at ?? 0) > until) break;
    await world.step(firstMove);
  }
  world.time.pass(Math.max(0, until - world.time.monotonic()));
}
