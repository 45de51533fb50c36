import assert from 'node:assert/strict';
import { addOne, asJson, recordOf, type StoreCase } from './store-suite-case.ts';

/** Names that a file system, a database or an object may take amiss. */
const ACCOUNTS = [
  'default',
  'alice@example.com',
  'Alice@example.com',
  'a/b',
  'a\\b',
  '../a',
  '.',
  'a:b',
  'a b',
  ' a',
  'a\n',
  'a*',
  'a?',
  'a%2Fb',
  'ünï‧cødé',
  'con',
  '__proto__',
  'constructor',
  'x'.repeat(200),
];

/** Reading, and writing by compare-and-set. */
export const records: readonly StoreCase[] = [
  {
    name: 'an account without a record reads as undefined',
    async run(open) {
      const store = await open();
      assert.equal(await store.read('default'), undefined);
    },
  },
  {
    name: 'what is written is read, with members that nobody here knows',
    async run(open) {
      const store = await open();
      const record = recordOf(1, {
        futureMember: { deep: [1, null, 'two', { three: true }] },
        binding: { issuer: 'https://id.example.com', clientId: 'cli' },
        tokens: { access_token: 'a', refresh_token: 'r', device_secret: 'd', 'urn:x': [1] },
      });
      assert.equal(await store.write('default', record, undefined), true);
      assert.deepEqual(asJson(await store.read('default')), asJson(record));
    },
  },
  {
    name: 'long and odd texts come back as they were',
    async run(open) {
      const store = await open();
      const text = `"'\\ \u0000\u001f\u2028 é 漢字 🔑 </script> \${x} %s\r\n`;
      const record = recordOf(1, { text, tokens: { access_token: text, refresh_token: 'x'.repeat(16_384) } });
      await store.write('default', record, undefined);
      assert.deepEqual(asJson(await store.read('default')), asJson(record));
    },
  },
  {
    name: 'a first write is refused where a record is stored',
    async run(open) {
      const store = await open();
      await store.write('default', recordOf(1), undefined);
      assert.equal(await store.write('default', recordOf(1, { late: true }), undefined), false);
      assert.deepEqual(asJson(await store.read('default')), asJson(recordOf(1)));
    },
  },
  {
    name: 'a write over another revision than the stored one is refused, and changes nothing',
    async run(open) {
      const store = await open();
      assert.equal(await store.write('default', recordOf(2), 1), false);
      assert.equal(await store.read('default'), undefined);
      await store.write('default', recordOf(1), undefined);
      await store.write('default', recordOf(2), 1);
      for (const expected of [0, 1, 3, 20]) {
        assert.equal(await store.write('default', recordOf(9), expected), false);
      }
      assert.deepEqual(asJson(await store.read('default')), asJson(recordOf(2)));
    },
  },
  {
    name: 'a write over the stored revision replaces the whole record',
    async run(open) {
      const store = await open();
      await store.write('default', recordOf(1, { claim: { at: 5 }, gone: true }), undefined);
      assert.equal(await store.write('default', recordOf(2), 1), true);
      assert.deepEqual(asJson(await store.read('default')), asJson(recordOf(2)));
    },
  },
  {
    name: '`replace` is written over whatever is stored, and over nothing',
    async run(open) {
      const store = await open();
      assert.equal(await store.write('default', recordOf(40), 'replace'), true);
      assert.equal(await store.write('default', recordOf(7), 'replace'), true);
      assert.equal(await store.write('default', recordOf(8), 7), true);
      assert.deepEqual(asJson(await store.read('default')), asJson(recordOf(8)));
    },
  },
  {
    name: 'the mark of a sign-out is a record like any other',
    async run(open) {
      const store = await open();
      await store.write('default', recordOf(1), undefined);
      const marker = { version: 1, revision: 2, epoch: 'e2', generation: 0, signedOut: true } as const;
      assert.equal(await store.write('default', marker, 1), true);
      assert.deepEqual(asJson(await store.read('default')), marker);
      assert.equal(await store.write('default', recordOf(1), undefined), false);
    },
  },
  {
    name: 'accounts of any name are apart',
    async run(open) {
      const store = await open();
      for (const [i, account] of ACCOUNTS.entries()) {
        assert.equal(await store.read(account), undefined, account);
        assert.equal(await store.write(account, recordOf(i + 1, { account }), undefined), true, account);
      }
      for (const [i, account] of ACCOUNTS.entries()) {
        assert.deepEqual(asJson(await store.read(account)), asJson(recordOf(i + 1, { account })));
      }
    },
  },
  {
    name: 'of 20 writers over one revision one wins',
    async run(open) {
      const store = await open();
      await store.write('default', recordOf(1), undefined);
      const writing = Array.from({ length: 20 }, async (_, i) =>
        store.write('default', recordOf(2, { by: i }), 1),
      );
      const won = await Promise.all(writing);
      assert.equal(won.filter(Boolean).length, 1);
      assert.equal((await store.read('default'))?.['by'], won.indexOf(true));
    },
  },
  {
    name: 'no write of 10 writers is lost',
    async run(open) {
      const store = await open();
      await Promise.all(Array.from({ length: 10 }, () => addOne(store, 'default')));
      const stored = await store.read('default');
      assert.deepEqual([stored?.['count'], stored?.revision], [10, 10]);
    },
  },
  {
    name: 'what one store writes another reads, and compares',
    shared: true,
    async run(open) {
      const [one, two] = [await open(), await open()];
      await one.write('default', recordOf(1), undefined);
      assert.deepEqual(asJson(await two.read('default')), asJson(recordOf(1)));
      assert.equal(await two.write('default', recordOf(1), undefined), false);
      assert.equal(await two.write('default', recordOf(2), 1), true);
      assert.equal(await one.write('default', recordOf(2, { late: true }), 1), false);
      assert.deepEqual(asJson(await one.read('default')), asJson(recordOf(2)));
    },
  },
  {
    name: 'no write of 10 writers over two stores is lost',
    shared: true,
    async run(open) {
      const stores = [await open(), await open()];
      await Promise.all(Array.from({ length: 10 }, (_, i) => addOne(stores[i % 2]!, 'default')));
      assert.equal((await stores[0]!.read('default'))?.['count'], 10);
    },
  },
];
