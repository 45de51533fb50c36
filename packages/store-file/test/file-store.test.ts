import {
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import nodeFs from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, test } from '@jest/globals';
import type { CredentialRecord } from '@unexpired/core';
import { createFileStore, openFileStore } from '../src/file-store.ts';
import { realPathOf } from '../src/real-path.ts';
import { createPlace, recordOf } from './place.ts';

async function pathOfFile(): Promise<string> {
  return join(await createPlace(), 'credentials.json');
}

async function documentAt(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
}

async function asidesOf(path: string): Promise<string[]> {
  const names = await readdir(join(path, '..'));
  return names.filter((name) => name.includes('.broken-')).map((name) => join(path, '..', name));
}

test('the same file is the same store, by whatever path', async () => {
  const path = await pathOfFile();
  const link = `${path}.link`;
  await symlink(path, link);
  await symlink(join(path, '..'), `${path}.directory`);
  const store = createFileStore({ path });

  expect(createFileStore({ path: relative(process.cwd(), path) })).toBe(store);
  expect(createFileStore({ path: link })).toBe(store);
  expect(createFileStore({ path: join(`${path}.directory`, 'credentials.json') })).toBe(store);
  expect(createFileStore({ path: `${path}.other` })).not.toBe(store);
  await store.write('default', recordOf(1), undefined);
  expect(createFileStore({ path })).toBe(store);
});

test('a tilde is the home directory, at the beginning only', () => {
  expect(realPathOf('~/no-such/credentials.json')).toBe(
    join(realPathOf(homedir()), 'no-such', 'credentials.json'),
  );
  expect(realPathOf('/no-such/~/a')).toBe('/no-such/~/a');
  expect(realPathOf('/no-such~')).toBe('/no-such~');
});

test('the file is JSON for people, with all accounts', async () => {
  const path = await pathOfFile();
  const store = openFileStore(path);
  await store.write('default', recordOf(1), undefined);
  await store.write('__proto__', recordOf(2), undefined);

  expect(await readFile(path, 'utf8')).toMatch(
    /^\{\n {2}"version": 1,\n {2}"accounts": \{\n {4}"default": \{\n/,
  );
  const { accounts } = (await documentAt(path)) as { accounts: Record<string, CredentialRecord> };
  expect(Object.entries(accounts).map(([name, { revision }]) => [name, revision])).toEqual([
    ['default', 1],
    ['__proto__', 2],
  ]);
});

test('file and directory are their owner’s only, whatever the umask, and so is the temporary file', async () => {
  const place = await createPlace();
  const path = join(place, 'deep', 'er', 'credentials.json');
  const modes: number[] = [];
  const fs = {
    ...nodeFs,
    async rename(from: string, to: string) {
      modes.push((await stat(from)).mode & 0o777);
      await nodeFs.rename(from, to);
    },
  } as typeof nodeFs;
  const before = process.umask(0);
  try {
    await openFileStore(path, fs).write('default', recordOf(1), undefined);
  } finally {
    process.umask(before);
  }

  expect(modes).toEqual([0o600]);
  for (const name of await readdir(join(place, 'deep', 'er'))) {
    expect((await stat(join(place, 'deep', 'er', name))).mode & 0o777).toBe(0o600);
  }
  expect((await stat(join(place, 'deep', 'er'))).mode & 0o777).toBe(0o700);
  expect((await stat(join(place, 'deep'))).mode & 0o777).toBe(0o700);
});

test('a file that others could read is theirs no more once it is written', async () => {
  const path = await pathOfFile();
  await writeFile(path, '{"version":1,"accounts":{}}', { mode: 0o644 });
  await openFileStore(path).write('default', recordOf(1), undefined);

  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a write is flushed before it is renamed into place, and its directory after that', async () => {
  const path = await pathOfFile();
  const steps: string[] = [];
  const fs = {
    ...nodeFs,
    async open(at: string, flags: string, mode?: number) {
      const file = await nodeFs.open(at, flags, mode);
      const name = flags === 'r' ? 'directory' : 'temporary';
      steps.push(`open ${name} ${flags} ${mode?.toString(8)}`);
      const sync = file.sync.bind(file);
      file.sync = async () => {
        steps.push(`sync ${name}`);
        await sync();
      };
      return file;
    },
    async rename(from: string, to: string) {
      steps.push('rename');
      await nodeFs.rename(from, to);
    },
  } as typeof nodeFs;
  await openFileStore(path, fs).write('default', recordOf(1), undefined);

  expect(steps).toEqual([
    'open temporary wx 600',
    'sync temporary',
    'rename',
    'open directory r undefined',
    'sync directory',
  ]);
});

test('members that nobody here knows are kept, in the document and in every account', async () => {
  const path = await pathOfFile();
  const other = { ...recordOf(4), theirs: [1, { two: null }] };
  await writeFile(
    path,
    `\uFEFF${JSON.stringify({ $comment: 'mine', version: 1, accounts: { other, odd: 'text' }, more: { a: 1 } })}`,
  );
  const store = openFileStore(path);
  await store.write('default', recordOf(1), undefined);

  expect(await documentAt(path)).toEqual({
    $comment: 'mine',
    version: 1,
    accounts: { other, odd: 'text', default: recordOf(1) },
    more: { a: 1 },
  });
});

test('the target of a symbolic link is written, and the link stays', async () => {
  const place = await createPlace();
  const [target, link] = [join(place, 'there', 'real.json'), join(place, 'link.json')];
  await mkdir(join(place, 'there'));
  await symlink(join('there', 'real.json'), link);
  const store = createFileStore({ path: link });
  await store.write('default', recordOf(1), undefined);

  expect(await readlink(link)).toBe(join('there', 'real.json'));
  expect((await lstat(target)).isFile()).toBe(true);
  expect((await createFileStore({ path: target }).read('default'))?.revision).toBe(1);
  expect(await readdir(place)).toEqual(['link.json', 'there']);
});

test('links that lead in a circle are an error that says so', async () => {
  const path = await pathOfFile();
  await symlink(path, `${path}.b`);
  await symlink(`${path}.b`, path);

  expect(() => createFileStore({ path })).toThrow(/symbolic links lead in a circle/);
});

const broken: [string, string | Uint8Array, RegExp][] = [
  [
    'half a document',
    '{"version":1,"accounts":{"default":{"tokens":{"refresh_token":"canary',
    /is not valid JSON/,
  ],
  ['an empty file', '', /is not valid JSON/],
  ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), /is not valid JSON/],
  ['a list', '[]', /is not a JSON object/],
  ['another program’s', '{"refresh_token":"canary"}', /was not written by this library, or is damaged/],
  ['accounts of a wrong type', '{"version":1,"accounts":["canary"]}', /is damaged/],
  ['a newer version', '{"version":2,"accounts":{},"secret":"canary"}', /by a newer version of this library/],
];

test.each(broken)(
  '%s is an error, without its content, and nothing is written over it',
  async (_, content, message) => {
    const path = await pathOfFile();
    await writeFile(path, content);
    const store = openFileStore(path);

    for (const call of [
      store.read('default'),
      store.write('default', recordOf(1), undefined),
      store.write('default', recordOf(2), 1),
    ]) {
      const error: unknown = await Promise.resolve(call).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'ERR_STORE_FAILED', message: expect.stringMatching(message) });
      expect((error as Error).message).toContain(path);
      expect(JSON.stringify([error, (error as Error).message, (error as Error).cause])).not.toContain(
        'canary',
      );
    }
    expect(await readFile(path)).toEqual(Buffer.from(content));
    expect(await asidesOf(path)).toEqual([]);
  },
);

test.each(broken)(
  'a sign-in keeps %s aside, for the owner only, and writes a new file',
  async (_, content) => {
    const path = await pathOfFile();
    await writeFile(path, content, { mode: 0o644 });
    const store = openFileStore(path);

    expect(await store.write('default', recordOf(7), 'replace')).toBe(true);
    expect((await store.read('default'))?.revision).toBe(7);
    const [aside, ...others] = await asidesOf(path);
    expect(others).toEqual([]);
    expect(aside).toMatch(/credentials\.json\.broken-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z$/);
    expect(await readFile(aside!)).toEqual(Buffer.from(content));
    expect((await stat(aside!)).mode & 0o777).toBe(0o600);
  },
);

test.each([['text'], [5], [[]], [{}], [{ version: 2, revision: 'x' }]])(
  'an account that holds %j hurts no other one, and only a sign-in writes over it',
  async (entry) => {
    const path = await pathOfFile();
    const content = JSON.stringify({ version: 1, accounts: { bad: entry, good: recordOf(3) } });
    await writeFile(path, content);
    const store = openFileStore(path);

    expect(await store.read('bad')).toEqual(entry);
    expect(await store.write('bad', recordOf(1), undefined)).toBe(false);
    expect(await store.write('bad', recordOf(1), 0)).toBe(false);
    expect(await store.write('good', recordOf(4), 3)).toBe(true);
    expect(await store.write('bad', recordOf(1), 'replace')).toBe(true);

    expect((await store.read('good'))?.revision).toBe(4);
    expect((await store.read('bad'))?.revision).toBe(1);
    const [aside] = await asidesOf(path);
    expect(await documentAt(aside!)).toMatchObject({ accounts: { bad: entry, good: { revision: 4 } } });
  },
);

test('an account that holds null holds nothing', async () => {
  const path = await pathOfFile();
  await writeFile(path, '{"version":1,"accounts":{"default":null}}');
  const store = openFileStore(path);

  expect(await store.read('default')).toBeUndefined();
  expect(await store.write('default', recordOf(1), undefined)).toBe(true);
});

test('a file that another program is writing in place is read when it is whole', async () => {
  const path = await pathOfFile();
  const whole = JSON.stringify({ version: 1, accounts: { default: recordOf(3) } });
  await writeFile(path, whole.slice(0, 40));
  let reads = 0;
  const fs = {
    ...nodeFs,
    async readFile(at: string) {
      const bytes = await nodeFs.readFile(at);
      reads += 1;
      if (reads === 1) await writeFile(path, whole);
      return bytes;
    },
  } as typeof nodeFs;

  expect((await openFileStore(path, fs).read('default'))?.revision).toBe(3);
});

test('what dead writers left is removed, and nothing else', async () => {
  const path = await pathOfFile();
  const place = join(path, '..');
  const kept = ['.credentials.json.notes.tmp', '.other.json.0123456789abcdef.tmp', 'credentials.json.bak'];
  for (const name of [...kept, '.credentials.json.0123456789abcdef.tmp'])
    await writeFile(join(place, name), '');
  await openFileStore(path).write('default', recordOf(1), undefined);

  expect((await readdir(place)).sort()).toEqual(
    [...kept, 'credentials.json', 'credentials.json.write.lock'].sort(),
  );
});

test('hints come although the directory is made, removed and made again after the subscription', async () => {
  const path = join(await createPlace(), 'deep', 'er', 'credentials.json');
  const writer = openFileStore(path);
  let hinted = Promise.withResolvers<void>();
  const stop = openFileStore(path).subscribe('default', () => hinted.resolve());
  const untilHint = async (change: () => Promise<unknown>): Promise<void> => {
    hinted = Promise.withResolvers();
    await change();
    await hinted.promise;
  };
  for (const revision of [1, 3, 5]) {
    await untilHint(async () => writer.write('default', recordOf(revision), undefined));
    await untilHint(async () => writer.write('default', recordOf(revision + 1), revision));
    await untilHint(() => nodeFs.rm(join(path, '..', '..'), { recursive: true }));
  }
  stop?.();

  expect(await writer.read('default')).toBeUndefined();
});

test('a file that was removed reads as nothing, and is made anew', async () => {
  const path = await pathOfFile();
  const store = openFileStore(path);
  await store.write('default', recordOf(1), undefined);
  await unlink(path);

  expect(await store.read('default')).toBeUndefined();
  expect(await store.write('default', recordOf(2), 1)).toBe(false);
  expect(await store.write('default', recordOf(1), undefined)).toBe(true);
});

test.each<[unknown, RegExp]>([
  [undefined, /^`options` must be an object, got undefined$/],
  [{}, /^`path` must be the path of a file, got undefined$/],
  [{ path: '' }, /^`path` must be the path of a file, got an empty string$/],
  [{ path: ['/a'] }, /^`path` must be the path of a file, got a list$/],
  [{ path: '/a', mode: 0o600 }, /^`mode` is not an option; there are: path$/],
])('a store of %j is a TypeError', (options, message) => {
  expect(() => createFileStore(options as never)).toThrow(message);
  expect(() => createFileStore(options as never)).toThrow(TypeError);
});
