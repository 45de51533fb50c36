import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createFakeClock, type FakeClock } from '@unexpired/testing';

/** What happened, with the monotonic time since the start. */
function diary(clock: FakeClock): { entries: string[]; note: (what: string) => () => void } {
  const start = clock.monotonic();
  const entries: string[] = [];
  return { entries, note: (what) => () => void entries.push(`${what}@${clock.monotonic() - start}`) };
}

const delay = (clock: FakeClock, ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.setTimer(resolve, ms);
  });

test('a new clock stands still at the time that was given', () => {
  const clock = createFakeClock({ now: 5000 });

  expect([clock.now(), clock.now()]).toEqual([5000, 5000]);
  expect(clock.monotonic()).not.toBe(clock.now());
  expect(createFakeClock().now()).toBe(Date.parse('2026-01-01T00:00:00Z'));
});

describe('advance', () => {
  test('moves both clocks', async () => {
    const clock = createFakeClock({ now: 5000 });
    const monotonic = clock.monotonic();

    await clock.advance(250);

    expect(clock.now()).toBe(5250);
    expect(clock.monotonic()).toBe(monotonic + 250);
  });

  test('calls timers at their own time, in order of time and then of setting', async () => {
    const clock = createFakeClock();
    const { entries, note } = diary(clock);
    clock.setTimer(note('late'), 30);
    clock.setTimer(note('first'), 10);
    clock.setTimer(note('second'), 10);
    clock.setTimer(note('never'), 31);

    await clock.advance(30);

    expect(entries).toEqual(['first@10', 'second@10', 'late@30']);
    expect(clock.pendingTimers).toBe(1);
  });

  test('calls a timer once', async () => {
    const clock = createFakeClock();
    const { entries, note } = diary(clock);
    clock.setTimer(note('once'), 10);

    await clock.advance(10);
    await clock.advance(10);

    expect(entries).toEqual(['once@10']);
  });

  test('settles promise chains between timers, so that a chain of delays keeps its times', async () => {
    const clock = createFakeClock();
    const { entries, note } = diary(clock);
    const chain = async (): Promise<void> => {
      for (const what of ['a', 'b', 'c']) {
        await delay(clock, 10);
        for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
        note(what)();
      }
    };
    const done = chain();
    clock.setTimer(note('beside'), 15);

    await clock.advance(30);
    await done;

    expect(entries).toEqual(['a@10', 'beside@15', 'b@20', 'c@30']);
  });

  test('sees timers that a promise chain sets before the first step', async () => {
    const clock = createFakeClock();
    const { entries, note } = diary(clock);
    void Promise.resolve().then(() => clock.setTimer(note('early'), 5));

    await clock.advance(5);

    expect(entries).toEqual(['early@5']);
  });

  test('by 0 calls what is due', async () => {
    const clock = createFakeClock();
    const { entries, note } = diary(clock);
    clock.setTimer(note('now'), 0);
    clock.setTimer(note('past'), -5);

    await clock.advance(0);

    expect(entries).toEqual(['now@0', 'past@0']);
  });

  test('rejects with what a timer throws, and the clock goes on', async () => {
    const clock = createFakeClock();
    const { entries, note } = diary(clock);
    clock.setTimer(() => {
      throw new Error('from the timer');
    }, 5);
    clock.setTimer(note('next'), 10);

    await expect(clock.advance(20)).rejects.toThrow('from the timer');
    await clock.advance(5);

    expect(entries).toEqual(['next@10']);
  });

  test('two at once are an error of the test', async () => {
    const clock = createFakeClock();
    const first = clock.advance(10);

    await expect(clock.advance(10)).rejects.toThrow('is being advanced already');
    await first;
  });

  test.each([-1, Number.NaN, Infinity])('by %p is a RangeError', async (ms) => {
    await expect(createFakeClock().advance(ms)).rejects.toThrow(RangeError);
  });

  describe('under fake timers of the runner', () => {
    afterEach(() => {
      jest.useRealTimers();
    });

    test('still settles', async () => {
      jest.useFakeTimers();
      const clock = createFakeClock();
      const { entries, note } = diary(clock);
      clock.setTimer(note('one'), 5);

      await clock.advance(5);

      expect(entries).toEqual(['one@5']);
    });
  });
});

test('a cancelled timer is not called, and cancelling again does nothing', async () => {
  const clock = createFakeClock();
  const { entries, note } = diary(clock);
  const cancel = clock.setTimer(note('cancelled'), 10);
  expect(clock.pendingTimers).toBe(1);

  cancel();
  cancel();
  await clock.advance(10);

  expect(entries).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});

test('a timer may cancel another that is due at the same time', async () => {
  const clock = createFakeClock();
  const { entries, note } = diary(clock);
  let cancel = (): void => {};
  clock.setTimer(() => cancel(), 10);
  cancel = clock.setTimer(note('cancelled'), 10);

  await clock.advance(10);

  expect(entries).toEqual([]);
});

test('a step moves the wall clock alone, in both directions', async () => {
  const clock = createFakeClock({ now: 5000 });
  const monotonic = clock.monotonic();
  const { entries, note } = diary(clock);
  clock.setTimer(note('timer'), 10);

  clock.step(-2000);
  expect(clock.now()).toBe(3000);
  clock.step(86_400_000);
  await clock.advance(9);

  expect(clock.now()).toBe(86_403_009);
  expect(clock.monotonic()).toBe(monotonic + 9);
  expect(entries).toEqual([]);
});

test('sleep moves the wall clock and neither the monotonic one nor the timers', async () => {
  const clock = createFakeClock({ now: 5000 });
  const monotonic = clock.monotonic();
  const { entries, note } = diary(clock);
  clock.setTimer(note('timer'), 10);

  clock.sleep(3_600_000);
  await clock.advance(0);

  expect([clock.now(), clock.monotonic()]).toEqual([3_605_000, monotonic]);
  expect(entries).toEqual([]);
  expect(() => clock.sleep(-1)).toThrow(RangeError);
});
