import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { TokenEvent } from '../../src/index.ts';
import { fingerprintOf } from '../../src/fingerprint.ts';
import { LIFETIME_MS } from './authorization-server.ts';
import type { Call, SimulatedProcess } from './process.ts';
import type { World } from './world.ts';

/** A gate that closed: until when, and for which refresh token. */
interface Closed {
  readonly wall: number;
  readonly mono: number;
  readonly durationMs: number;
  /** It holds only while the access token works. */
  readonly holds: boolean;
}

/** Watches one process through a history, in which it is the only one that signs in and out. */
export interface Observer {
  /** The grant of the last sign-in; undefined after a sign-out. */
  session: string | undefined;
  /** Calls that settled since the last check. */
  check(): void;
}

interface Watch {
  readonly world: World;
  readonly observed: SimulatedProcess;
  readonly observer: Observer;
  /** Access tokens that were refused, and nothing came of it yet. */
  readonly refused: Set<string>;
  readonly closed: Map<string | undefined, Closed>;
  readonly violations: string[];
  /** What the state said of each access token, by fingerprint. */
  readonly told: Map<string, string>;
  readonly seen: Set<Call>;
  seenEvents: number;
  /** The flight under way has begun an exchange. */
  started: boolean;
}

/** The largest delay that timers of real systems know. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** I14: no request of a closed gate's refresh token. It is judged in the middle of the flight. */
function onStarted({ world, observed, closed, violations }: Watch): void {
  const { time, backing } = world;
  const gate = closed.get(backing.record?.tokens?.refresh_token);
  if (gate === undefined) return;
  const elapsed = Math.max(time.now() - gate.wall, time.monotonic() - gate.mono);
  const { accessToken } = observed.source.status();
  const open =
    elapsed >= gate.durationMs - 1 || (gate.holds && accessToken !== 'fresh' && accessToken !== 'due');
  if (!open) violations.push(`I14: an exchange ${elapsed} ms after a gate of ${gate.durationMs} ms closed`);
}

function onFailed(watch: Watch, code: string): void {
  const { world, observed, closed } = watch;
  const { time, exchanges } = world;
  const { health, retryAt } = observed.source.status();
  const isOfExchange = watch.started && code !== 'ERR_STORE_FAILED' && code !== 'ERR_LOCK_TIMEOUT';
  if (!isOfExchange || health === 'ok') return;
  closed.set(exchanges.at(-1)!.refreshToken, {
    wall: time.now(),
    mono: time.monotonic(),
    durationMs: (retryAt ?? Number.POSITIVE_INFINITY) - time.now(),
    holds: retryAt === undefined && code === 'ERR_REFRESH_FAILED',
  });
}

function onEvent(watch: Watch, event: TokenEvent): void {
  if (event.type === 'refresh-started') onStarted(watch);
  if (event.type === 'refresh-failed') onFailed(watch, event.code);
  if (event.type.startsWith('refresh')) watch.started = event.type === 'refresh-started';
  if (/^(refresh-failed|refreshed|adopted|signed-in|signed-out|not-replayed)$/.test(event.type)) {
    watch.refused.clear();
  }
}

/** I6, I9 and I17: what callers get is the newest, of this session, and nothing that was refused. */
function checkToken({ world, observed, observer, refused }: Watch, call: Call): void {
  const { token } = call;
  if (token === undefined) return;
  const issue = world.server.issue(token);
  assert.ok(
    world.time.monotonic() - (issue?.at ?? 0) < LIFETIME_MS,
    'an access token is given out after its end',
  );
  assert.equal(issue?.family, observer.session, 'I17: an access token of another session');
  assert.equal(fingerprintOf(token), observed.source.status().fingerprint, 'I9: not the newest access token');
  assert.notEqual(token, call.refused, 'I6: replayed with the access token that was refused');
  assert.ok(!refused.has(token), 'I6: an access token is given out while its refusal is looked into');
}

/** I20: all that the state tells belongs to one generation. */
function checkStatus({ observed, told }: Watch): void {
  const { fingerprint, generation, expiresAt, health, retryAt } = observed.source.status();
  if (fingerprint === undefined) return;
  const facts = `${generation} ${expiresAt}`;
  assert.equal(told.get(fingerprint) ?? facts, facts, 'I20: the state mixes generations');
  told.set(fingerprint, facts);
  assert.ok(health !== 'ok' || retryAt === undefined, 'I13: a time to wait without a reason');
}

/** I21: every token the server issues has this in it. */
function checkSecrecy(shown: unknown): void {
  const text = inspect(shown, { depth: 8 }) + JSON.stringify(shown);
  assert.ok(!text.includes('canary'), `I21: a secret shows in ${text}`);
}

/** I23: nothing keeps the process alive but a caller who waits. */
function checkTimers({ world, observed }: Watch): void {
  const { timers, longestMs } = world.time;
  assert.ok(longestMs <= LONGEST_TIMER_MS, `I23: a timer of ${longestMs} ms`);
  if (observed.calls.some(({ settled }) => !settled)) return;
  const idle = [...timers].every(({ owner, keepAlive }) => owner !== observed.host.name || !keepAlive);
  assert.ok(idle, 'I23: a timer keeps the process alive, and nobody waits');
}

function check(watch: Watch): void {
  const { observed, violations, seen } = watch;
  assert.deepEqual(violations, []);
  for (const call of observed.calls) {
    if (!call.settled || seen.has(call)) continue;
    seen.add(call);
    checkToken(watch, call);
    if (call.error !== undefined) checkSecrecy(call.error);
  }
  for (const event of observed.events.slice(watch.seenEvents)) checkSecrecy(event);
  watch.seenEvents = observed.events.length;
  for (const { settled, wasCurrent, refused } of observed.calls) {
    if (!settled && wasCurrent) watch.refused.add(refused!);
  }
  checkStatus(watch);
  checkSecrecy(observed.source.status());
  checkTimers(watch);
}

export function observe(world: World, observed: SimulatedProcess): Observer {
  const observer: Observer = { session: undefined, check: () => check(watch) };
  const watch: Watch = {
    world,
    observed,
    observer,
    refused: new Set(),
    closed: new Map(),
    violations: [],
    told: new Map(),
    seen: new Set(),
    seenEvents: 0,
    started: false,
  };
  observed.source.subscribe((event) => onEvent(watch, event));
  return observer;
}
