import assert from 'node:assert/strict';
import { GRACE_MS, LIFETIME_MS } from './authorization-server.ts';
import { checkAlways } from './invariants.ts';
import { askAll, playRounds, type Played, type Scenario } from './round.ts';
import { createWorld, type Choose, type Damage, type World } from './world.ts';

/** Whether the answer to an exchange may have been lost for good, which no protocol can mend (two generals). */
function losesAnswer(
  { name, kind, insideWindow }: Damage,
  { ignoresSignal }: Scenario,
  faults: number,
): boolean {
  if (name === 'crash') return insideWindow;
  const exchanging = kind === 'send' || kind === 'answer';
  // Halted for little longer than its time limit, which only a second fault lets pass: as a slow answer.
  if (name === 'stop') return exchanging && faults > 1;
  if (kind === 'answer') return name === 'fail' || name === 'stall';
  // Given up after its time limit, the request may still arrive.
  return kind === 'send' && name === 'stall' && ignoresSignal === true;
}

/** A grace period forgives all but a request that is still on its way when its successor was answered. */
function losesGrant({ mode, ignoresSignal }: Scenario): boolean {
  return mode === 'strict' || (mode === 'latest-wins' && ignoresSignal === true);
}

/** Nobody tried again within the grace period, as two faults can bring about. */
function wasTooLate({ server: { presentations }, damages }: World): boolean {
  const fatal = presentations.find(({ alive, granted }) => alive && !granted);
  const first = presentations.find(({ refreshToken }) => refreshToken === fatal?.refreshToken);
  return damages.length > 1 && first !== undefined && fatal!.at - first.at > GRACE_MS;
}

function mostPresentations(world: World): number {
  const alive = world.server.presentations.filter((one) => one.alive);
  return Math.max(0, ...alive.map(({ before }) => before + 1));
}

function checkCalls({ calls, world, revoked }: Played, scenario: Scenario): void {
  const [damage, another] = world.damages;
  for (const { by, call } of calls) {
    if (by.host.state === 'crashed') continue;
    assert.ok(call.settled, 'a caller waits for ever');
    if (world.server.isAlive()) {
      assert.notEqual(call.error?.code, 'ERR_REAUTHENTICATION_REQUIRED', 'a caller is told to sign in again');
    }
    const elsewhere = damage !== undefined && /crash|fail/.test(damage.name) && damage.host !== by.host.name;
    const undisturbed = damage === undefined || (elsewhere && another === undefined);
    if (undisturbed && world.server.isAlive()) {
      assert.equal(call.error, undefined, `${by.host.name} fails, which was not disturbed`);
      assert.notEqual(call.token, revoked ?? '');
      if (scenario.access !== 'due' || (scenario.rounds ?? 1) > 1)
        assert.equal(call.token, world.server.newestAccessToken);
    }
  }
}

/** What the invariants promise for this schedule. */
async function checkOutcome(played: Played, scenario: Scenario): Promise<void> {
  const { world, survivors, revoked } = played;
  const { server, damages } = world;
  const lossy = damages.some((damage) => losesAnswer(damage, scenario, damages.length));
  checkCalls(played, scenario);
  const { rounds = 1, mode, reuse, access } = scenario;
  const spent = mostPresentations(world);
  const tries = (mode === 'non-rotating' ? rounds : 1) + (lossy ? damages.length : 0);
  assert.ok(spent <= tries, `a refresh token was presented ${spent} times`);
  if (reuse === 'strict' && access === 'due' && rounds === 1) {
    assert.ok(spent <= 1, 'presented again although the access token still worked');
  }
  if (damages.length === 0) {
    assert.equal(server.presentations.length, rounds, 'one expiry, one exchange');
  }
  const now = await askAll(world, survivors, revoked);
  const mayBeLost = (): boolean => lossy && (losesGrant(scenario) || wasTooLate(world));
  assert.ok(server.isAlive() || mayBeLost(), 'the grant is lost');
  if (server.isAlive()) {
    for (const { token } of now)
      assert.ok(token !== undefined && token !== revoked, 'no access token is given out');
  }
  await checkNextExpiry(played);
  assert.ok(server.isAlive() || mayBeLost(), 'the grant is lost at the next expiry');
}

async function checkNextExpiry({ world, survivors }: Played): Promise<void> {
  const { server, time, backing } = world;
  time.pass(LIFETIME_MS);
  const before = server.presentations.length;
  const calls = await askAll(world, survivors);
  for (const { token, error } of calls) {
    if (server.isAlive()) assert.equal(token, server.newestAccessToken, 'not the newest access token');
    else assert.equal(error?.code, 'ERR_REAUTHENTICATION_REQUIRED');
  }
  if (!server.isAlive()) return;
  assert.equal(server.presentations.length, before + 1, 'the next expiry costs one exchange');
  assert.equal(
    backing.record?.tokens?.access_token,
    server.newestAccessToken,
    'the newest tokens are stored',
  );
  for (const { source } of survivors) assert.equal(source.status().durability, 'clean');
}

/** One schedule from its first move to its outcome. What it throws tells the moves. */
export async function playOut(scenario: Scenario, choose: Choose): Promise<World> {
  const world = createWorld({ mode: scenario.mode, check: checkAlways });
  try {
    await checkOutcome(await playRounds(world, scenario, choose), scenario);
  } catch (error) {
    const told = `${(error as Error).message}\n${JSON.stringify(scenario)}\n${world.trace.join(', ')}`;
    throw new Error(told, { cause: error });
  }
  return world;
}
