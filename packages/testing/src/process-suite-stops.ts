import assert from 'node:assert/strict';
import type { AuthorizationServer } from './authorization-server.ts';
import { aMinute, pairOf, type ProcessCase, type Scene } from './process-suite-case.ts';
import type { RaceProcess } from './race-process.ts';
import type { RacePoint, RaceSource } from './race-protocol.ts';
import { PROCESS_HEADER } from './race-protocol.ts';

/** A stop of two time-outs of the lock is longer than any of these. */
const short: RaceSource = { limits: { exchangeMs: 1000, flightMs: 1500, lockMs: 1000, waitMs: 2000 } };

/** Where the holder is stopped: at a point of its own, or while the answer is on its way. */
type Stop = RacePoint | 'on the wire';

/** Resolves when the process is there and stopped; what is called then makes it go on. */
async function stopAt(holder: RaceProcess, server: AuthorizationServer, stop: Stop): Promise<() => void> {
  if (stop === 'on the wire') {
    server.next({ hold: 'answer' });
    holder.ask('refusal');
    await server.requestArrived();
    holder.pause();
    server.release();
    return () => holder.resume();
  }
  const there = holder.hold(stop);
  holder.ask('refusal');
  await there;
  holder.pause();
  return () => {
    holder.resume();
    holder.release(stop);
  };
}

async function stopUnderSystemLock(scene: Scene, stop: Stop): Promise<void> {
  const server = await scene.serve();
  const all = await scene.race({ server, processes: 2, account: stop.replaceAll(' ', '-'), source: short });
  const [holder, peer] = pairOf(all);
  await peer.getAccessToken();
  const goOn = await stopAt(holder, server, stop);
  peer.ask('refusal');
  const spenders = stop === 'claimed' || stop === 'sent' ? [] : [holder.name];
  await all.until(() => {
    assert.deepEqual(
      server.exchanges.map(({ headers }) => headers[PROCESS_HEADER]),
      spenders,
    );
    return peer.events.filter((event) => event === 'lock-contended').length === 2;
  });
  assert.ok(peer.failures.every(({ code }) => code === 'ERR_LOCK_TIMEOUT'));
  goOn();
  await all.untilGeneration(5);
  assert.deepEqual(server.reuses, []);
}

function adoptions({ events }: RaceProcess): number {
  return events.filter((event) => event === 'adopted').length;
}

async function stopUnderLease(scene: Scene, point: RacePoint): Promise<void> {
  const server = await scene.serve({ rotation: 'grace' });
  const all = await scene.race({ server, processes: 2, account: point });
  const [holder, peer] = pairOf(all);
  await peer.getAccessToken();
  const goOn = await stopAt(holder, server, point);
  peer.ask('refusal');
  await all.until(() => (peer.token?.generation ?? 0) >= 4);
  peer.ask(undefined);
  const before = (await peer.refuse()).generation;

  const adopted = adoptions(holder);
  holder.ask(undefined);
  goOn();
  // Until its late commit is refused, the tokens that only memory has are the newest it knows of.
  await all.until(() => adoptions(holder) > adopted);
  assert.ok((await holder.getAccessToken()).generation >= before);
  const stored = await peer.read();
  assert.ok(stored!.generation >= before, `generation ${before} was overwritten by ${stored!.generation}`);
  assert.equal(server.isAccessTokenValid((await peer.refuse()).accessToken), true);
  assert.deepEqual(server.reuses, []);
}

export const stops: readonly ProcessCase[] = [
  {
    name: 'while the holder is stopped for longer than any limit nobody else spends the refresh token',
    lock: 'system',
    limitMs: aMinute,
    async run(scene) {
      const stops = ['claimed', 'sent', 'on the wire', 'answered', 'committing'] as const;
      await Promise.all(stops.map((stop) => stopUnderSystemLock(scene, stop)));
    },
  },
  {
    name: 'a holder that was stopped for longer than its lease never overwrites a newer generation',
    lock: 'lease',
    limitMs: () => 120_000,
    async run(scene) {
      const points = ['claimed', 'answered', 'committing'] as const;
      await Promise.all(points.map((point) => stopUnderLease(scene, point)));
    },
  },
];
