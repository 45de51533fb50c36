import { expect, test } from '@jest/globals';
import { createFakeClock } from '@unexpired/testing';
import { patienceOf, unlessAborted, waitFor, type Patience } from '../src/waiting.ts';

const clock = createFakeClock();
const patience = (given: Partial<Patience> = {}): Patience =>
  patienceOf(given.clock ?? clock, given.waitMs ?? 30_000, given.signal);

/** A signal that tells how many listen to it. */
function createCountedSignal(): { controller: AbortController; listening: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  signal.addEventListener('abort', () => {
    for (const listener of listeners) (listener as () => void)();
  });
  signal.addEventListener = (_type: string, listener: unknown) => {
    listeners.add(listener);
  };
  signal.removeEventListener = (type: string, listener: unknown) => {
    if (type === 'abort') listeners.delete(listener);
  };
  return { controller, listening: () => listeners.size };
}

test('gives what is waited for, and leaves nothing behind', async () => {
  const { controller, listening } = createCountedSignal();

  expect(await waitFor(Promise.resolve('a'), patience({ signal: controller.signal }))).toBe('a');
  expect([clock.pendingTimers, listening()]).toEqual([0, 0]);
});

test('rejects as what is waited for does, and leaves nothing behind', async () => {
  const { controller, listening } = createCountedSignal();
  const failing = Promise.reject(new Error('no'));

  await expect(waitFor(failing, patience({ signal: controller.signal }))).rejects.toThrow('no');
  expect([clock.pendingTimers, listening()]).toEqual([0, 0]);
});

test('ends at the deadline of this caller alone', async () => {
  const shared = Promise.withResolvers<string>();
  const { controller, listening } = createCountedSignal();
  const hasty = waitFor(shared.promise, patience({ waitMs: 1000, signal: controller.signal }));
  const patient = waitFor(shared.promise, patience());
  hasty.catch(() => undefined);
  await clock.advance(1000);
  await expect(hasty).rejects.toMatchObject({
    code: 'ERR_WAIT_TIMEOUT',
    message: 'No access token within 1000 ms; the refresh goes on. Try again, or raise `limits.waitMs`.',
  });
  expect([clock.pendingTimers, listening()]).toEqual([1, 0]);
  shared.resolve('a');

  expect(await patient).toBe('a');
});

test('ends at the abort of this caller alone, with its reason and at once', async () => {
  const shared = Promise.withResolvers<string>();
  const { controller, listening } = createCountedSignal();
  const left = waitFor(shared.promise, patience({ signal: controller.signal }));
  const staying = waitFor(shared.promise, patience());
  const reason = new Error('gone');
  controller.abort(reason);

  await expect(left).rejects.toBe(reason);
  expect([clock.pendingTimers, listening()]).toEqual([1, 0]);
  shared.resolve('a');
  expect(await staying).toBe('a');
});

test('does not begin where the caller is gone already', async () => {
  const reason = new Error('gone');

  await expect(waitFor(Promise.resolve('a'), patience({ signal: AbortSignal.abort(reason) }))).rejects.toBe(
    reason,
  );
  expect(clock.pendingTimers).toBe(0);
});

test('passes over a failure that comes after the caller left', async () => {
  const shared = Promise.withResolvers<string>();
  const left = waitFor(shared.promise, patience({ signal: AbortSignal.timeout(1) }));
  await left.catch(() => undefined);
  shared.reject(new Error('nobody waits'));

  await new Promise(setImmediate);
});

test('keeps the process alive meanwhile', () => {
  const asked: unknown[] = [];
  const noting = {
    ...clock,
    setTimer(_callback: () => void, ms: number, keepAlive?: boolean) {
      asked.push([ms, keepAlive]);
      return () => undefined;
    },
  };
  void waitFor(Promise.resolve('a'), patience({ clock: noting }));

  expect(asked).toEqual([[30_000, true]]);
});

test('passes over a failure of what an aborted caller does not wait for', async () => {
  const reason = new Error('gone');
  const failing = (async () => Promise.reject(new Error('nobody waits')))();

  await expect(unlessAborted(failing, AbortSignal.abort(reason))).rejects.toBe(reason);
  await new Promise(setImmediate);
});
