import { setTimeout as delay } from 'node:timers/promises';
import { median, quantile, verdict, type Row, type Table } from './harness.ts';
import { inMeeting, type Holder, type StartHolder } from './holders.ts';
import { labelOf, now, STALE_MS, type LockName } from './locks.ts';
import { startRedis } from './redis.ts';

const RELEASES = 30;
const KILLS = 10;
/** Where a limit has to run out first; all of them at once. */
const SLOW_KILLS: Partial<Record<LockName, number>> = { 'proper-lockfile': 4, 'store-redis': 1 };
const STOPS = 4;
const STOPPED_MS = 2.5 * STALE_MS;
const TARGET_MS = 50;

/** Runs with holders of this lock, in a place of their own. */
type Meet = <T>(name: LockName, run: (start: StartHolder) => Promise<T>) => Promise<T>;

/** The second has begun to wait, and is at any moment of its looking. */
async function queueUp(holder: Holder, waiter: Holder): Promise<{ readonly taken: Promise<number> }> {
  await holder.take();
  const taken = waiter.take();
  await delay(50 + Math.random() * 50);
  return { taken };
}

async function afterReleases(startHolder: StartHolder): Promise<number[]> {
  const times: number[] = [];
  let [holder, waiter] = [await startHolder(), await startHolder()];
  for (let round = 0; round < RELEASES; round += 1) {
    const { taken } = await queueUp(holder, waiter);
    const releasedAt = await holder.release();
    times.push((await taken) - releasedAt);
    await waiter.release();
    [holder, waiter] = [waiter, holder];
  }
  return times;
}

async function afterKill(startHolder: StartHolder): Promise<number> {
  const [holder, waiter] = [await startHolder(), await startHolder()];
  const { taken } = await queueUp(holder, waiter);
  const killedAt = now();
  holder.kill();
  return (await taken) - killedAt;
}

async function isTakenFromStopped(startHolder: StartHolder): Promise<boolean> {
  const [holder, waiter] = [await startHolder(), await startHolder()];
  const { taken } = await queueUp(holder, waiter);
  holder.stop();
  return Promise.race([taken.then(() => true), delay(STOPPED_MS, false)]);
}

/** So many at once: all they do is wait. */
function atOnce<T>(count: number, run: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, run));
}

function rowOf(name: LockName, after: string, times: readonly number[]): Row {
  const p90 = quantile(times, 0.9);
  const hasTarget = name === 'store-file' || (name === 'store-redis' && after === 'release');
  return {
    with: labelOf(name),
    after,
    rounds: times.length,
    'median ms': median(times).toFixed(0),
    'p90 ms': p90.toFixed(0),
    ...(hasTarget ? { target: TARGET_MS, verdict: verdict(p90 <= TARGET_MS) } : {}),
  };
}

async function quickRows(names: readonly LockName[], meet: Meet): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of names) rows.push(rowOf(name, 'release', await meet(name, afterReleases)));
  const times: number[] = [];
  while (times.length < KILLS) times.push(await meet('store-file', afterKill));
  return [...rows, rowOf('store-file', 'SIGKILL', times)];
}

async function slowRows(names: readonly LockName[], meet: Meet): Promise<Row[]> {
  const rows = names.map(async (name) => {
    const times = await atOnce(SLOW_KILLS[name] ?? 0, () => meet(name, afterKill));
    return times.length > 0 ? [rowOf(name, 'SIGKILL', times)] : [];
  });
  return (await Promise.all(rows)).flat();
}

const handOverTable = (rows: readonly Row[]): Table => ({
  title: `Hand-over: from one process to the next that waits (target ${TARGET_MS} ms)`,
  note:
    'From the end of the task, or from SIGKILL, until the waiting process is inside. proper-lockfile looks as often as ' +
    `the file store (5 to 20 ms), with stale: ${STALE_MS}, its least; 10,000 if none is given. A killed holder's lease in ` +
    'Redis runs out after 20 s, whoever waits.',
  rows,
});

async function stopTable(meet: Meet): Promise<Table> {
  const rows = (['store-file', 'proper-lockfile'] as const).map(async (name): Promise<Row> => {
    const outcomes = await atOnce(STOPS, () => meet(name, isTakenFromStopped));
    const taken = outcomes.filter(Boolean).length;
    return {
      with: labelOf(name),
      rounds: STOPS,
      taken,
      ...(name === 'store-file' ? { verdict: verdict(taken === 0) } : {}),
    };
  });
  return {
    title: 'A holder that is stopped: is its lock taken from it? (target: never)',
    note:
      `SIGSTOP for ${STOPPED_MS / 1000} s, as a closed laptop or a debugger does; proper-lockfile with stale: ${STALE_MS}. ` +
      'Who goes on after that sends a refresh token that another has spent.',
    rows: await Promise.all(rows),
  };
}

export async function handOver(): Promise<Table[]> {
  const redis = await startRedis();
  const names: LockName[] = ['store-file', ...(redis ? (['store-redis'] as const) : []), 'proper-lockfile'];
  const meet: Meet = (name, run) => inMeeting(name, redis?.socket, run);
  try {
    const quick = await quickRows(names, meet);
    const [slow, stops] = await Promise.all([slowRows(names, meet), stopTable(meet)]);
    return [handOverTable([...quick, ...slow]), stops];
  } finally {
    await redis?.stop();
  }
}
