import { expect, jest, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { Send } from '../src/commands.ts';
import { keysOf } from '../src/keys.ts';
import { acquireLease } from '../src/lease.ts';
import { ACQUIRE, EXTEND } from '../src/scripts.ts';
import { aborted, patient } from './scene.ts';

const LEASE_MS = 600;

function blockUntil(end: number): void {
  while (performance.now() < end);
}

test('a lease whose extension is read when its end is due already is kept', async () => {
  const asked: number[] = [];
  let takenAt = 0;
  const send: Send = async ({ script }) => {
    if (script === ACQUIRE) takenAt = performance.now();
    if (script === EXTEND && asked.push(asked.length) === 1) {
      // The end is due before this answer, and both are due in one turn of the event loop.
      blockUntil(takenAt + LEASE_MS - 50);
      const answered = delay(1);
      blockUntil(takenAt + LEASE_MS + 10);
      await answered;
    }
    return ['yes', '0', '0'];
  };
  const means = { send, follow: undefined, leaseMs: LEASE_MS };
  const { section, release } = await acquireLease(means, keysOf('app:', 'default'), patient);

  while (asked.length < 3) await delay(5);

  expect(section.signal.aborted).toBe(false);
  await release();
});

test('a lease whose end comes a little before its time is given up all the same', async () => {
  const now = performance.now.bind(performance);
  // A timer counts from the start of a turn, in whole milliseconds.
  const reading = jest.spyOn(performance, 'now').mockImplementation(() => now() * 0.9);
  const send: Send = async ({ script }) => {
    if (script === ACQUIRE) return ['yes', '0', '0'];
    throw new Error('cut off');
  };
  const means = { send, follow: undefined, leaseMs: LEASE_MS };
  const { section, release } = await acquireLease(means, keysOf('app:', 'default'), patient);

  await aborted(section.signal);

  await release();
  reading.mockRestore();
});
