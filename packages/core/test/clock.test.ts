import { describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@unexpired/testing';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { delay, elapsedMs, instantOf, systemClock, within, type Clock } from '../src/clock.ts';

describe('elapsedMs', () => {
  test.each([
    ['both clocks went on', 5000, 5000, 5000],
    ['the wall clock was set back', -86_400_000, 5000, 5000],
    ['the wall clock was set forward', 86_400_000, 5000, 86_400_000],
    ['the machine slept', 60_000, 0, 60_000],
    ['nothing passed', 0, 0, 0],
  ])('when %s', (_, wall, mono, expected) => {
    expect(elapsedMs({ wall: 100, mono: 7 }, { wall: 100 + wall, mono: 7 + mono })).toBe(expected);
  });

  test('is never shorter than either clock says', () => {
    const instant = fc.record({ wall: fc.integer(), mono: fc.integer() });
    fc.assert(
      fc.property(instant, instant, (since, now) => {
        const elapsed = elapsedMs(since, now);

        expect(elapsed).toBeGreaterThanOrEqual(now.wall - since.wall);
        expect(elapsed).toBeGreaterThanOrEqual(now.mono - since.mono);
      }),
      runs(100),
    );
  });
});

test('an instant is one moment on both clocks', () => {
  const clock = createFakeClock({ now: 1000 });

  expect(instantOf(clock)).toEqual({ wall: 1000, mono: clock.monotonic() });
});

test('a delay is as long as the clock says', async () => {
  const clock = createFakeClock();
  let over = false;
  void delay(clock, 500).then(() => {
    over = true;
  });
  await clock.advance(499);
  expect(over).toBe(false);
  await clock.advance(1);
  expect(over).toBe(true);
});

describe('within', () => {
  const clock = createFakeClock();
  const limit = { clock, ms: 1000, onExpiry: () => 'late' };

  test('gives what came in time, and leaves no timer behind', async () => {
    expect(await within(Promise.resolve('in time'), limit)).toBe('in time');
    expect(clock.pendingTimers).toBe(0);
  });

  test('rejects with what failed in time, and leaves no timer behind', async () => {
    await expect(within(Promise.reject(new Error('no')), limit)).rejects.toThrow('no');
    expect(clock.pendingTimers).toBe(0);
  });

  test('gives what stands in, once the time is over', async () => {
    const outcome = within(new Promise(() => undefined), limit);
    await clock.advance(1000);

    expect(await outcome).toBe('late');
  });

  test('rejects with what the stand-in throws', async () => {
    const onExpiry = (): never => {
      throw new Error('too late');
    };
    const outcome = within(new Promise<string>(() => undefined), { ...limit, onExpiry });
    outcome.catch(() => undefined);
    await clock.advance(1000);

    await expect(outcome).rejects.toThrow('too late');
  });

  /** A clock whose timers come when the test calls them, so late that the process must have been halted. */
  function createHaltedClock(lateMs: number): {
    clock: Clock;
    timers: [() => void, number, boolean | undefined][];
  } {
    const timers: [() => void, number, boolean | undefined][] = [];
    let mono = 0;
    return {
      timers,
      clock: {
        now: () => mono,
        monotonic: () => mono,
        setTimer(callback, ms, keepAlive) {
          timers.push([
            () => {
              mono += ms + lateMs;
              callback();
            },
            ms,
            keepAlive,
          ]);
          return () => undefined;
        },
      },
    };
  }

  test('begins its time anew, once, after the process was halted', async () => {
    const halted = createHaltedClock(1000);
    const outcome = within(new Promise(() => undefined), { ...limit, clock: halted.clock, keepAlive: true });
    halted.timers[0]![0]();
    expect(halted.timers.map(([, ...asked]) => asked)).toEqual([
      [1000, true],
      [1000, true],
    ]);
    halted.timers[1]![0]();

    expect(await outcome).toBe('late');
  });

  test('does not take a timer that is a little late for a halt', async () => {
    const halted = createHaltedClock(999);
    const outcome = within(new Promise(() => undefined), { ...limit, clock: halted.clock });
    halted.timers[0]![0]();

    expect([await outcome, halted.timers.length]).toEqual(['late', 1]);
  });

  test('does not call the stand-in without need', async () => {
    let called = false;
    const onExpiry = (): string => {
      called = true;
      return 'late';
    };
    await within(Promise.resolve('in time'), { ...limit, onExpiry });
    await clock.advance(2000);

    expect(called).toBe(false);
  });

  test('passes over what fails after the time is over', async () => {
    const { promise, reject } = Promise.withResolvers<string>();
    const outcome = within(promise, limit);
    await clock.advance(1000);
    await outcome;
    reject(new Error('nobody waits'));

    await new Promise(setImmediate);
  });
});

describe("the system's clock", () => {
  test('tells the time on both clocks', () => {
    const before = Date.now();
    const { wall, mono } = instantOf(systemClock);

    expect(wall).toBeGreaterThanOrEqual(before);
    expect(mono).toBeGreaterThan(0);
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(mono);
  });

  test('calls back, unless that is cancelled', async () => {
    const calls: string[] = [];
    const cancel = systemClock.setTimer(() => calls.push('cancelled'), 0);
    cancel();
    await new Promise<void>((resolve) => {
      systemClock.setTimer(resolve, 1, true);
    });
    await new Promise(setImmediate);

    expect(calls).toEqual([]);
  });

  test('keeps the process alive only where that is asked for', () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const alive = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length - before;
    const cancelIdle = systemClock.setTimer(() => undefined, 100_000);
    expect(alive()).toBe(0);
    const cancel = systemClock.setTimer(() => undefined, 100_000, true);
    expect(alive()).toBe(1);
    cancel();
    cancelIdle();
  });
});
