import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Follow } from '../src/hints.ts';

const pauses: unknown[] = [];
jest.unstable_mockModule('node:timers/promises', () => ({
  setTimeout(...call: unknown[]) {
    pauses.push(call);
    return new Promise(setImmediate);
  },
}));
const { followWith, hintOf } = await import('../src/hints.ts');

let attempts: number;
/** Whether the client subscribes at this attempt. */
let serves: (attempt: number) => boolean;
let hear: (channel: string, hint: string) => void;
let follow: Follow;

const subscriber = {
  async subscribe() {
    attempts += 1;
    if (!serves(attempts)) throw new Error('not connected');
  },
  on(_: 'message', listener: typeof hear) {
    hear = listener;
  },
};

/** More than enough for an attempt or two. */
async function pass(): Promise<void> {
  for (let turns = 0; turns < 10; turns += 1) await new Promise(setImmediate);
}

beforeEach(() => {
  attempts = 0;
  follow = followWith({ ...subscriber }, 'app:hints');
});

afterEach(() => void pauses.splice(0));

test('a subscription that fails is tried again, after pauses that grow and keep no process alive', async () => {
  serves = (attempt) => attempt === 10;

  await new Promise((resolve) => follow('topic', resolve as () => void));

  const lengths = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000];
  expect(pauses).toEqual(lengths.map((ms) => [ms, undefined, { ref: false }]));
});

test('a subscription that fails is not tried again once nobody follows, until somebody does', async () => {
  serves = () => false;
  const stop = follow('topic', () => undefined);
  await pass();

  stop();
  await pass();
  const before = attempts;
  await pass();
  expect(before).toBeGreaterThan(1);
  expect(attempts).toBe(before);

  serves = () => true;
  await new Promise((resolve) => follow('topic', resolve as () => void));
  expect(attempts).toBe(before + 1);
});

test('one subscription serves all that follow, also after they left', async () => {
  serves = () => true;
  const stop = await new Promise<() => void>((resolve) => {
    const end: () => void = follow('topic', () => resolve(end));
  });
  stop();

  const heard: unknown[] = [];
  const listen = (message: unknown): void => void heard.push(message);
  follow('topic', listen);
  // The same function twice is two that follow.
  const leave = follow('topic', listen);
  follow('topic of another', listen);
  hear('app:hints', hintOf('topic', 'first'));
  leave();
  leave();
  hear('app:hints', hintOf('topic', ''));
  hear('other:hints', hintOf('topic', 'of another prefix'));

  expect(heard).toEqual(['first', 'first', '']);
  expect(attempts).toBe(1);
});
