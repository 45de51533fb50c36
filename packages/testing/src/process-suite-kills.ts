import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { createKeyedMutex } from '@unexpired/core';
import type { AuthorizationServer } from './authorization-server.ts';
import { pairOf, rejectionOf } from './process-suite-case.ts';
import type { Counts, LockKind, ProcessCase, Scene } from './process-suite-case.ts';
import type { Race } from './race.ts';
import type { RaceProcess } from './race-process.ts';
import { PROCESS_HEADER, type RacePoint } from './race-protocol.ts';
import type { Exchange } from './token-endpoint.ts';

/** A lock that the system frees is free long before that; a lease may take its time. */
const impatient = { limits: { lockMs: 3000 } };

/** The holder is killed at a point of its refresh while another process waits for it. */
async function killAt(
  { serve, race, lock }: Scene,
  point: RacePoint,
  rotation: 'strict' | 'grace',
): Promise<void> {
  const server = await serve({ rotation });
  const tokens = await server.signIn();
  const source = lock === 'system' ? impatient : {};
  const [holder, peer] = pairOf(
    await race({ server, processes: 2, account: `${rotation}-${point}`, tokens, source }),
  );
  await peer.getAccessToken();
  const there = holder.hold(point);
  holder.ask('refusal');
  await there;
  const refused = peer.refuse();
  const rejection = rejectionOf(refused);
  await holder.kill();

  const isUnstored = point === 'answered' || point === 'committing';
  const where = `killed at ${point}, ${rotation} server`;
  if (isUnstored && rotation === 'strict') {
    const error = await rejection;
    assert.equal(error?.code, 'ERR_REAUTHENTICATION_REQUIRED', where);
    assert.match(error.message, /interrupted/);
    assert.equal((await peer.read())?.tokens?.refresh_token, tokens.refresh_token);
    return;
  }
  assert.equal((await rejection)?.message, undefined, where);
  await refused;
  assert.equal(server.isAccessTokenValid((await peer.refuse()).accessToken), true, where);
  const shown = server.presentations.map(({ generation }) => generation);
  const once = shown.slice(isUnstored ? 1 : 0);
  assert.equal(shown[0], 1, where);
  assert.deepEqual(
    once,
    once.map((_, index) => index + 1),
    where,
  );
}

const POINTS = ['claimed', 'sent', 'answered', 'committing', 'committed'] as const;
/** Two refreshes. */
const WORST_SIGNS = 2 * POINTS.length;
const WORST_MS = 25;
const PROCESSORS = 2;
/** A lease has to run out after most kills, while its lane does nothing. */
const LANES: Record<LockKind, number> = { system: 4, lease: 20 };
/** Each lane has two processes to start, first. */
const LEAST_ROUNDS = 5;

interface Kill {
  readonly victim: RaceProcess;
  /** By the clock of the server. */
  readonly at: number;
}

/**
 * Whether the process died between the server's yes and the durable write, by what both of them say: its last request
 * is the one whose refresh token was presented again, and it never told that the answer was stored.
 */
function diedInTheWindow({ victim, at }: Kill, server: AuthorizationServer): boolean {
  const { name, points } = victim;
  const own = server.exchanges.filter(({ headers }) => headers[PROCESS_HEADER] === name);
  const last = own.at(-1);
  const reused = server.reuses.at(-1)?.refreshToken;
  if (last === undefined || last.presentation?.refreshToken !== reused) return false;
  // What the dead had sent may arrive after what the next one sends.
  if (last.at >= at) return true;
  // What it told last may be lost with it, the claim too: then fewer commits were told than requests were answered.
  const answered = own.filter(({ issued }) => issued !== undefined).length;
  const committed = points.filter((point) => point === 'committed').length;
  const isTold = points.lastIndexOf('committed') > points.lastIndexOf('claimed') && committed >= answered;
  return last.issued !== undefined && !isTold;
}

/** What came to the server last, and from whom. */
function storyOf({ victim, at }: Kill, { exchanges }: AuthorizationServer): string {
  const tell = ({ headers, presentation, issued, ...exchange }: Exchange): string =>
    `${exchange.at - at} ms after the kill ${String(headers[PROCESS_HEADER])} presented generation ` +
    `${presentation?.generation}: ${issued === undefined ? 'refused' : 'accepted'}`;
  const told = `${victim.name} was killed after ${victim.points.slice(-5).join(', ')}`;
  return [told, ...exchanges.slice(-5).map(tell)].join('\n');
}

/** Kills one of the racers at a random moment of their refreshes, however slow the machine makes these; says which. */
async function killOne(all: Race, racers: RaceProcess[]): Promise<Kill> {
  const signsOfLife = (): number =>
    racers.reduce((sum, { points, failures }) => sum + points.length + failures.length, 0);
  const last = signsOfLife() + Math.floor(Math.random() * WORST_SIGNS);
  for (const racer of racers) racer.ask('refusal');
  await all.until(() => signsOfLife() >= last);
  await setTimeout(Math.random() * WORST_MS);
  const [victim] = racers.splice(Math.floor(Math.random() * racers.length), 1);
  const at = Date.now();
  await victim!.kill();
  return { victim: victim!, at };
}

const ATTEMPTS = 4;

/** A store that a busy machine keeps waiting says so in time, and is asked again; what a kill tore stays torn. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === ATTEMPTS || (error as { code?: string }).code !== 'ERR_STORE_FAILED') throw error;
    }
  }
}

type InTurn = <T>(start: () => Promise<T>) => Promise<T>;

/** More processes that start at once would only keep those from their leases that race. */
function createTurns(): InTurn {
  const mutex = createKeyedMutex();
  const { signal } = new AbortController();
  let count = 0;
  return (start) => mutex.runExclusive(`processor ${(count += 1) % PROCESSORS}`, start, signal);
}

interface Lane {
  readonly server: AuthorizationServer;
  readonly all: Race;
  readonly rotation: 'strict' | 'grace';
  readonly rounds: number;
  readonly inTurn: InTurn;
}

/** Ahead of its time; where the case fails meanwhile nobody waits for it. */
function startNext({ all, inTurn }: Lane): Promise<RaceProcess> {
  const starting = inTurn(() => all.add());
  starting.catch(() => undefined);
  return starting;
}

async function signInAgain({ server, all }: Lane, racers: readonly RaceProcess[]): Promise<void> {
  const tokens = await server.signIn();
  await patiently(() => racers.at(-1)!.signIn(tokens));
  for (const racer of racers) racer.ask('refusal');
  await all.until(() =>
    racers.every(({ token }) => token !== undefined && server.isGrantAlive(token.accessToken)),
  );
}

/** Resolves with how many kills cost the sign-in. */
async function killInLane(lane: Lane): Promise<number> {
  const { server, all, rotation, rounds } = lane;
  const racers = [...all.processes];
  let starting = startNext(lane);
  let lost = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const next = await starting;
    const kill = await killOne(all, racers);
    // They end what they are at and rest: the processor is for those that start.
    for (const racer of racers) racer.ask(undefined);
    if (round < rounds) starting = startNext(lane);
    const error = await rejectionOf(patiently(() => next.refuse()));
    const stored = await patiently(() => next.read());
    assert.equal(typeof stored?.tokens?.refresh_token, 'string', `nothing is stored after kill ${round}`);
    racers.push(next);
    if (error === undefined) continue;
    assert.equal(error.code, 'ERR_REAUTHENTICATION_REQUIRED', error.message);
    assert.ok(
      rotation === 'strict' && diedInTheWindow(kill, server),
      `signed out by kill ${round}: ${error.message}\n${storyOf(kill, server)}`,
    );
    lost += 1;
    await signInAgain(lane, racers);
  }
  return lost;
}

/** Several accounts at once: most of the time each waits, for a lock or for a peer that may have been faster. */
async function killAtRandom(scene: Scene, rotation: 'strict' | 'grace'): Promise<void> {
  const total = rotation === 'strict' ? scene.rounds : scene.graceRounds;
  const count = Math.min(LANES[scene.lock], Math.ceil(total / LEAST_ROUNDS));
  const rounds = Math.ceil(total / count);
  const inTurn = createTurns();
  const opening = Array.from({ length: count }, async (_, lane) => {
    const server = await scene.serve({ rotation });
    const options = { server, processes: 2, account: `lane-${lane}` };
    const all = await inTurn(() => patiently(() => scene.race(options)));
    return { server, all, rotation, rounds, inTurn };
  });
  const lanes = await Promise.all(opening);
  const lost = await Promise.all(lanes.map(killInLane));
  if (process.env['SOAK'] !== '1') return;
  const inTheWindow = lost.reduce((sum, one) => sum + one, 0);
  process.stdout.write(
    `${rotation}: ${inTheWindow} of ${rounds * count} kills fell between the yes and the durable write\n`,
  );
}

const roundByRound = ({ rounds }: Counts): number => 120_000 + rounds * 3000;

export const kills: readonly ProcessCase[] = [
  {
    name: 'when the holder is killed the next process goes on; only tokens that were not stored yet can be lost',
    limitMs: () => 120_000,
    async run(scene) {
      await Promise.all(POINTS.map((point) => killAt(scene, point, 'strict')));
      await Promise.all((['answered', 'committing'] as const).map((point) => killAt(scene, point, 'grace')));
    },
  },
  {
    name: 'a kill at a random moment signs nobody out, but between the yes of a strict server and the durable write',
    limitMs: roundByRound,
    run: (scene) => killAtRandom(scene, 'strict'),
  },
  {
    name: 'a kill at a random moment signs nobody out where the server tolerates a repeat',
    limitMs: roundByRound,
    run: (scene) => killAtRandom(scene, 'grace'),
  },
];
