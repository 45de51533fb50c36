import assert from 'node:assert/strict';
import { expect, test } from '@jest/globals';
import { LIFETIME_MS } from './authorization-server.ts';
import { explore } from './explorer.ts';
import { checkAlways } from './invariants.ts';
import { settle } from './time.ts';
import { createWorld, firstMove, letPass, type Choose, type World } from './world.ts';

// I17 and F41, F42: every schedule of a refresh in one process and a sign-in or sign-out in the same or in another one,
// with at most one fault.
const SOAK = process.env['SOAK'] === '1';

interface Race {
  readonly does: 'sign in' | 'sign out';
  readonly by: 'A' | 'B';
  /** The server lets a new grant end the one before: what is being refreshed is refused. */
  readonly endsPrevious: boolean;
  readonly faults: number;
}

async function begin(world: World): Promise<void> {
  const first = world.start({ name: 'first' });
  first.track(first.source.signIn(world.server.signIn()));
  await letPass(world, 0);
  world.scheduler.crash(first.host);
  for (const name of ['A', 'B']) world.start({ name }).getAccessToken();
  await letPass(world, 0);
  world.time.pass(LIFETIME_MS);
}

/** Whether the sign-in or sign-out is to be seen by all: it is not, where its process died. */
function isToBeSeen({ damages }: World, { by }: Race): boolean {
  return damages.every(({ name, host }) => name !== 'crash' || host !== by);
}

/** The sign-in or sign-out begins at any moment. Returns the session that must be seen at the end. */
async function race(
  world: World,
  { does, by, faults, endsPrevious }: Race,
  choose: Choose,
): Promise<string | undefined> {
  const { server, scheduler } = world;
  const [one, another] = [world.processes[1]!, world.processes[2]!];
  const who = by === 'A' ? one : another;
  const tokens = does === 'sign in' ? server.signIn(endsPrevious) : undefined;
  const effect = (): void => {
    who.track(tokens === undefined ? who.source.signOut() : who.source.signIn(tokens));
  };
  const call = one.getAccessToken();
  await settle();
  void scheduler.perform(who.host, { kind: 'hint', effect });
  world.trace.push('|');
  world.faultsLeft = faults;
  await world.run(choose);
  await letPass(world, 120_000);
  world.trace.push('|');
  if (does === 'sign in' && world.damages.length === 0) {
    assert.equal(call.error, undefined, 'a caller is told of a refusal that a sign-in has mended');
  }
  return tokens === undefined ? undefined : server.issue(tokens.access_token!)!.family;
}

async function checkSeen(world: World, session: string | undefined): Promise<void> {
  const { server, backing } = world;
  world.start({ name: 'later' });
  for (const { host } of world.processes) host.brokenWrites = 0;
  for (const one of world.processes.toReversed()) {
    if (one.host.state === 'crashed') continue;
    // By this request at the latest it reads the store.
    world.time.pass(LIFETIME_MS);
    const call = one.getAccessToken();
    await world.run(firstMove);
    if (session === undefined) assert.equal(call.error?.code, 'ERR_REAUTHENTICATION_REQUIRED');
    else
      assert.equal(
        server.issue(call.token ?? '')?.family,
        session,
        `${one.host.name} did not see the sign-in`,
      );
  }
  assert.equal(
    backing.record?.signedOut ?? false,
    session === undefined,
    'what is stored is of another session',
  );
}

const RACES: Race[] = (['A', 'B'] as const).flatMap((by) => [
  { does: 'sign in', by, faults: SOAK ? 1 : 0, endsPrevious: false },
  { does: 'sign in', by, faults: SOAK ? 1 : 0, endsPrevious: true },
  { does: 'sign out', by, faults: SOAK ? 1 : 0, endsPrevious: false },
]);

test.each(RACES)(
  'a refresh never undoes a $does by $by',
  async (row) => {
    let seen = 0;
    const schedules = await explore(async (choose) => {
      const world = createWorld({ mode: 'strict', check: checkAlways });
      try {
        await begin(world);
        const session = await race(world, row, choose);
        if (!isToBeSeen(world, row)) return;
        await checkSeen(world, session);
        seen += 1;
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${world.trace.join(', ')}`, { cause: error });
      }
    });
    expect(schedules).toBeGreaterThan(row.by === 'A' ? 30 : 90);
    expect(seen).toBeGreaterThan(schedules / 2);
  },
  600_000,
);
