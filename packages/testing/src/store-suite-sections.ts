import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { mostAtOnce, patient, recordOf, type StoreCase } from './store-suite-case.ts';

const DAY_MS = 24 * 3_600_000;

/** The exclusive section, and hints of change. */
export const sections: readonly StoreCase[] = [
  {
    name: 'tasks of one account run one after another',
    async run(open) {
      const store = await open();
      assert.equal(await mostAtOnce(Array.from({ length: 20 }, () => store)), 1);
    },
  },
  {
    name: 'a section settles as its task does, and is free afterwards',
    async run(open) {
      const store = await open();
      const failure = new Error('of the task');
      const failing = store.runExclusive('default', () => Promise.reject(failure), patient);
      await assert.rejects(failing, (error) => error === failure);
      assert.equal(await store.runExclusive('default', async () => 'given', patient), 'given');
    },
  },
  {
    name: 'a task reads and writes, and so does everybody else meanwhile',
    async run(open) {
      const store = await open();
      await store.runExclusive(
        'default',
        async () => {
          assert.equal(await store.write('default', recordOf(1), undefined), true);
          assert.equal((await store.read('default'))?.revision, 1);
        },
        patient,
      );
      const inside = Promise.withResolvers<void>();
      const leave = Promise.withResolvers<void>();
      const running = store.runExclusive(
        'default',
        () => {
          inside.resolve();
          return leave.promise;
        },
        patient,
      );
      await inside.promise;
      assert.equal(await store.write('default', recordOf(2), 1), true);
      assert.equal((await store.read('default'))?.revision, 2);
      leave.resolve();
      await running;
    },
  },
  {
    name: 'sections of two accounts run side by side',
    async run(open) {
      const store = await open();
      const entered = { ann: Promise.withResolvers<void>(), bob: Promise.withResolvers<void>() };
      const meet = (own: 'ann' | 'bob', other: 'ann' | 'bob'): Promise<void> =>
        store.runExclusive(
          own,
          () => {
            entered[own].resolve();
            return entered[other].promise;
          },
          patient,
        );
      await Promise.all([meet('ann', 'bob'), meet('bob', 'ann')]);
    },
  },
  {
    name: 'a section that is held tells that it is not lost, and what time it is where machines share the store',
    async run(open) {
      const store = await open();
      await store.runExclusive(
        'default',
        async ({ signal, clock }) => {
          assert.equal(signal.aborted, false);
          if (clock !== undefined) assert.ok(Math.abs(clock.now() - Date.now()) < DAY_MS);
        },
        patient,
      );
    },
  },
  {
    name: 'a signal that is aborted already rejects with its reason, and the task is not run',
    async run(open) {
      const store = await open();
      const reason = new Error('too late');
      let ran = false;
      const task = async (): Promise<void> => {
        ran = true;
      };
      const refused = store.runExclusive('default', task, AbortSignal.abort(reason));
      await assert.rejects(refused, (error) => error === reason);
      assert.equal(ran, false);
    },
  },
  {
    name: 'an abort while waiting rejects at once with its reason; that task is not run, and the next one is',
    async run(open) {
      const store = await open();
      const ran: string[] = [];
      const enter = (name: string, end?: Promise<void>) => async (): Promise<void> => {
        ran.push(name);
        await end;
      };
      const leave = Promise.withResolvers<void>();
      const leaving = new AbortController();
      const reason = new Error('no patience');
      const first = store.runExclusive('default', enter('first', leave.promise), patient);
      const second = store.runExclusive('default', enter('second'), leaving.signal);
      const third = store.runExclusive('default', enter('third'), patient);
      leaving.abort(reason);
      // The section is still held.
      await assert.rejects(second, (error) => error === reason);
      leave.resolve();
      await Promise.all([first, third]);
      assert.deepEqual(ran, ['first', 'third']);
    },
  },
  {
    name: 'an abort after the task has begun changes nothing',
    async run(open) {
      const store = await open();
      const leaving = new AbortController();
      const task = async (): Promise<string> => {
        leaving.abort(new Error('too late'));
        await setImmediate();
        return 'ended';
      };
      assert.equal(await store.runExclusive('default', task, leaving.signal), 'ended');
    },
  },
  {
    name: 'following an account may be ended, twice too',
    async run(open) {
      const store = await open();
      const stop = store.subscribe('default', () => undefined);
      await store.write('default', recordOf(1), undefined);
      stop?.();
      stop?.();
      await store.write('default', recordOf(2), 1);
    },
  },
  {
    name: 'tasks of one account run one after another over two stores',
    shared: true,
    async run(open) {
      const stores = [await open(), await open()];
      assert.equal(await mostAtOnce(Array.from({ length: 20 }, (_, i) => stores[i % 2]!)), 1);
    },
  },
  {
    name: 'a write through one store is hinted at through another',
    shared: true,
    async run(open) {
      const [one, two] = [await open(), await open()];
      const hinted = Promise.withResolvers<void>();
      const stop = two.subscribe('default', hinted.resolve);
      assert.ok(stop !== undefined, 'a store that others write to has hints');
      await one.write('default', recordOf(1), undefined);
      await hinted.promise;
      stop();
    },
  },
];
