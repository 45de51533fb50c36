import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Mode, Trouble } from './authorization-server.ts';
import { accessTokenOf } from '../../src/record.ts';
import { seededChoose } from './explorer.ts';
import { checkAlways } from './invariants.ts';
import { observe, type Observer } from './observer.ts';
import type { Call, SimulatedProcess } from './process.ts';
import type { FaultName } from './operation.ts';
import { settle } from './time.ts';
import { createWorld, firstMove, letPass, type Choose, type World } from './world.ts';

/** What may happen to one process, in any order. */
export type Action =
  | { readonly does: 'ask' | 'request' | 'late 401' | 'sign in' | 'sign out' }
  | { readonly does: 'refused request' | 'ask and may leave' }
  | { readonly does: 'leave'; readonly which: number }
  | { readonly does: 'trouble'; readonly trouble: Trouble }
  | { readonly does: 'fault'; readonly fault: FaultName }
  | { readonly does: 'pass' | 'step'; readonly ms: number }
  | { readonly does: 'move'; readonly count: number };

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const simple = (...does: readonly Action['does'][]): fc.Arbitrary<Action> =>
  fc.constantFrom(...does).map((one) => ({ does: one }) as Action);

const calls = simple('ask', 'request', 'refused request', 'late 401', 'ask and may leave');
const sessions = simple('sign in', 'sign out');
const moves: fc.Arbitrary<Action> = fc.integer({ min: 1, max: 12 }).map((count) => ({ does: 'move', count }));
const leaves: fc.Arbitrary<Action> = fc.nat(9).map((which) => ({ does: 'leave', which }));
const times: fc.Arbitrary<Action> = fc.oneof(
  fc.constantFrom(400, 1500, 31_000, 301_000, 2700 * 1000, HOUR).map((ms) => ({ does: 'pass', ms }) as const),
  fc.constantFrom(DAY, -DAY, 12 * HOUR).map((ms) => ({ does: 'step', ms }) as const),
);
const troubles: fc.Arbitrary<Action> = fc
  .constantFrom<Trouble>('unavailable', 'throttled', 'invalid-client', 'dead', 'reset', 'lost')
  .map((trouble) => ({ does: 'trouble', trouble }));
const faults: fc.Arbitrary<Action> = fc
  .constantFrom<FaultName>('fail', 'fail-after', 'outage', 'stall', 'stall-after')
  .map((fault) => ({ does: 'fault', fault }));

const weighted = (arbitrary: fc.Arbitrary<Action>, weight: number): fc.WeightedArbitrary<Action> => ({
  arbitrary,
  weight,
});

export const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    weighted(calls, 8),
    weighted(moves, 8),
    weighted(times, 3),
    weighted(troubles, 2),
    weighted(faults, 2),
    weighted(leaves, 1),
    weighted(sessions, 1),
  ),
  { minLength: 5, maxLength: 60 },
);

/** One process, its server, and those who watch. */
export interface Stage {
  readonly world: World;
  readonly only: SimulatedProcess;
  readonly observer: Observer;
  readonly choose: Choose;
  readonly leavers: { readonly call: Call; readonly controller: AbortController }[];
}

export async function setStage(mode: Mode, schedule: number): Promise<Stage> {
  const world = createWorld({
    mode,
    check(checked) {
      checkAlways(checked);
      stage?.observer.check();
    },
  });
  const only = world.start({ name: 'A' });
  let stage: Stage | undefined;
  const observer = observe(world, only);
  stage = { world, only, observer, choose: seededChoose(schedule), leavers: [] };
  signIn(stage);
  await letPass(world, 0);
  return stage;
}

function signIn({ world, only, observer }: Stage): void {
  const tokens = world.server.signIn();
  observer.session = world.server.issue(tokens.access_token!)!.family;
  only.track(only.source.signIn(tokens));
  assert.equal(only.source.status().health, 'ok', 'I13: a sign-in leaves a gate closed');
}

function signOut({ only, observer }: Stage): void {
  observer.session = undefined;
  only.track(only.source.signOut());
}

/** I10 and I11: who asks while the access token works has it without anything else going on. */
async function askNow({ only }: Stage, ask: () => Call): Promise<void> {
  const { accessToken } = only.source.status();
  const wasAsked = only.calls.some(({ token }) => token !== undefined);
  const call = ask();
  await settle();
  if (!wasAsked || (accessToken !== 'fresh' && accessToken !== 'due')) return;
  assert.ok(
    call.token !== undefined || call.refused !== undefined,
    'I10: a usable access token is waited for',
  );
}

/** I15: a caller leaves at once, and alone. */
async function leave({ only, leavers }: Stage, which: number): Promise<void> {
  const waiting = leavers.filter(({ call }) => !call.settled);
  const leaver = waiting[which % Math.max(1, waiting.length)];
  if (leaver === undefined) return;
  const others = only.calls.filter((call) => !call.settled && call !== leaver.call);
  const reason = new Error('left');
  leaver.controller.abort(reason);
  await settle();
  assert.equal(leaver.call.error, reason, 'I15: an abort is not noticed');
  assert.ok(
    others.every(({ settled }) => !settled),
    'I15: an abort is noticed by others',
  );
}

function askAndMayLeave(stage: Stage): Call {
  const controller = new AbortController();
  const call = stage.only.getAccessToken({ signal: controller.signal });
  stage.leavers.push({ call, controller });
  return call;
}

/** Something goes wrong with one of the operations under way. */
function makeFault({ world, choose }: Stage, fault: FaultName): void {
  const possible = world.scheduler.moves(true).filter((move) => move.fault?.name === fault);
  if (possible.length > 0) possible[choose.pick(possible.length)]!.make();
}

async function act(stage: Stage, action: Action): Promise<void> {
  const { world, only, choose } = stage;
  switch (action.does) {
    case 'ask':
      return askNow(stage, () => only.getAccessToken());
    case 'ask and may leave':
      return askNow(stage, () => askAndMayLeave(stage));
    case 'request':
      return askNow(stage, () => only.request());
    case 'refused request':
      return askNow(stage, () => only.request(world.server.newestAccessToken));
    case 'late 401':
      if (only.sent.length > 0) only.report401(only.sent[choose.pick(only.sent.length)]!);
      return;
    case 'leave':
      return leave(stage, action.which);
    case 'sign in':
      return signIn(stage);
    case 'sign out':
      return signOut(stage);
    case 'trouble':
      world.server.troubles.push(action.trouble);
      return;
    case 'fault':
      return makeFault(stage, action.fault);
    case 'pass':
      return letPass(world, action.ms);
    case 'step':
      return world.time.stepWall(action.ms);
    case 'move':
      for (let count = 0; count < action.count; count += 1) await world.step(choose);
  }
}

/** Plays a history to its end, and lets it calm down. */
export async function play(stage: Stage, history: readonly Action[]): Promise<void> {
  const { world, only, observer } = stage;
  for (const action of history) {
    world.trace.push(`[${JSON.stringify(Object.values(action))}]`);
    await act(stage, action);
    await settle();
    checkAlways(world);
    observer.check();
  }
  world.trace.push('[end]');
  world.server.troubles.length = 0;
  only.host.brokenWrites = 0;
  await world.run(firstMove);
  await letPass(world, 10 * 60_000);
  observer.check();
  assert.ok(
    only.calls.every(({ settled }) => settled),
    'a caller waits for ever',
  );
  assert.equal(world.time.timers.size, 0, 'I22: a timer is left');
  await checkEnd(stage);
}

/** I12 and I17: what is stored is of the last sign-in or sign-out; and a grant that lives is used. */
async function checkEnd({ world, only, observer }: Stage): Promise<void> {
  const { server, backing } = world;
  const call = only.request();
  await world.run(firstMove);
  if (observer.session === undefined) {
    assert.equal(
      call.error?.code,
      'ERR_REAUTHENTICATION_REQUIRED',
      'I17: signed out, and something is given out',
    );
    assert.equal(backing.record?.signedOut, true, 'I17: a sign-out is not stored');
    return;
  }
  const stored = server.issue(accessTokenOf(backing.record) ?? '');
  assert.equal(stored?.family, observer.session, 'I17: a sign-in is not stored');
  if (!server.isAlive()) return;
  assert.equal(call.error, undefined, 'I13: nothing is given out though the grant lives');
}
