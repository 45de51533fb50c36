import assert from 'node:assert/strict';
import { aMinute, pairOf, type ProcessCase, type Scene } from './process-suite-case.ts';
import type { RacePoint, RaceSource } from './race-protocol.ts';
import { PROCESS_HEADER } from './race-protocol.ts';

/** A stop of two time-outs of the lock is longer than any of these. */
const short: RaceSource = { limits: { exchangeMs: 1000, flightMs: 1500, lockMs: 1000, waitMs: 2000 } };

async function stopUnderSystemLock(scene: Scene, point: RacePoint): Promise<void> {
  const server = await scene.serve();
  const all = await scene.race({ server, processes: 2, account: point, source: short });
  const [holder, peer] = pairOf(all);
  await peer.getAccessToken();
  const there = holder.hold(point);
  holder.ask('refusal');
  await there;
  holder.pause();
  peer.ask('refusal');
  const spenders = point === 'claimed' || point === 'sent' ? [] : [holder.name];
  await all.until(() => {
    assert.deepEqual(
      server.exchanges.map(({ headers }) => headers[PROCESS_HEADER]),
      spenders,
    );
    return peer.events.filter((event) => event === 'lock-contended').length === 2;
  });
  assert.ok(peer.failures.every(({ code }) => code === 'ERR_LOCK_TIMEOUT'));

  holder.resume();
  holder.release(point);
  await all.untilGeneration(5);
  assert.deepEqual(server.reuses, []);
}

async function stopUnderLease(scene: Scene, point: RacePoint): Promise<void> {
  const server = await scene.serve({ rotation: 'grace' });
  const all = await scene.race({ server, processes: 2, account: point });
  const [holder, peer] = pairOf(all);
  await peer.getAccessToken();
  const there = holder.hold(point);
  holder.ask('refusal');
  await there;
  holder.pause();
  peer.ask('refusal');
  await all.until(() => (peer.token?.generation ?? 0) >= 4);
  peer.ask(undefined);
  const before = (await peer.refuse()).generation;

  holder.resume();
  holder.ask(undefined);
  holder.release(point);
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
      const points = ['claimed', 'sent', 'answered', 'committing'] as const;
      await Promise.all(points.map((point) => stopUnderSystemLock(scene, point)));
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
