import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';

/** A secret in a wrong place; it shows in no complaint. */
export const SECRET = 'canary-5ec7e7';
export const NUMERIC_SECRET = 73_190_246;

/** One wrong use of a public function, and what the complaint about it says; undefined: there is none to be made. */
export type Misuse = readonly [given: string, use: () => unknown, says: RegExp | undefined];

/** The names of all that a package exports beside types, as the checked-in list has them. */
function publicNames(name: string): string[] {
  const list = readFileSync(new URL(`../docs/api/${name}.txt`, import.meta.url), 'utf8');
  return [...list.matchAll(/^value (\w+)$/gm)].map((match) => match[1]!);
}

async function complaintOf(use: () => unknown): Promise<unknown> {
  try {
    await use();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Registers the misuses of a package's functions, and fails where a public one has none. */
export function testMisuses(name: string, misuses: Readonly<Record<string, readonly Misuse[]>>): void {
  test('every public function has a case of bad input', () => {
    const untried = publicNames(name).filter((one) => (misuses[one] ?? []).length === 0);

    expect(untried).toEqual([]);
  });

  describe.each(Object.entries(misuses))('%s', (_, cases) => {
    test.each(cases)('given %s', async (__, use, says) => {
      const error = await complaintOf(use);

      if (says === undefined) {
        expect(error).toBeUndefined();
        return;
      }
      expect(error).toBeDefined();
      const { name: kind, code } = error as { name: string; code?: string };
      expect(['TypeError', 'RangeError', 'Error', 'AccessTokenError']).toContain(kind);
      if (kind === 'AccessTokenError') expect(code).toMatch(/^ERR_/);
      expect((error as Error).message).toMatch(says);
      const { stack: _stack, ...shown } = Object.getOwnPropertyDescriptors(error);
      expect(inspect(shown, { depth: 8, showHidden: true })).not.toMatch(/canary|73_?190_?246/);
    });
  });
}

/** Values that are nothing that any option wants, each with what a complaint calls it. */
export const garbage: readonly (readonly [shown: string, value: unknown])[] = [
  ['null', null],
  ['a string', SECRET],
  ['a list', [SECRET]],
  ['an object', { secret: SECRET }],
  ['a symbol', Symbol(SECRET)],
  ['a bigint', 73_190_246n],
  ['NaN', Number.NaN],
  ['true', true],
  ['a function', () => SECRET],
];

/** One misuse for each value that an option does not take, whatever else is right. */
export function misusesOf(
  option: string,
  use: (value: unknown) => unknown,
  takes: readonly string[] = [],
): Misuse[] {
  const said = new RegExp(`\`${option.replaceAll('.', String.raw`\.`)}\` must (be|have|hold) .+`, 's');
  return garbage
    .filter(([shown]) => !takes.includes(shown))
    .map(([shown, value]) => [`${shown} as ${option}`, () => use(value), said]);
}

/** What every adapter refuses when it is made; `source` is a right one. */
export function misusesOfAdapter(
  make: (tokens: unknown, options?: unknown) => unknown,
  source: unknown,
): Misuse[] {
  const replace = (replaceAuthorization: unknown): unknown => make(source, { replaceAuthorization });
  return [
    ['nothing', () => make(undefined), /`tokens` must be a token source or a function .* got undefined/],
    ...misusesOf('tokens', (tokens) => make(tokens), ['a function']),
    ['a secret number as tokens', () => make(NUMERIC_SECRET), /`tokens` must be .* got a number/],
    ...misusesOf('options', (options) => make(source, options), ['an object']),
    ...misusesOf('replaceAuthorization', replace, ['true']),
    ['an unknown option', () => make(source, { retries: SECRET }), /`retries` is not an option; there are: /],
  ];
}

/** The key `unexpired` of one request, given to something that sends. */
export function misusesOfRequests(send: (unexpired: unknown) => unknown): Misuse[] {
  return [
    ...misusesOf('unexpired', send, ['an object']),
    ...misusesOf('unexpired.skip', (skip) => send({ skip }), ['true']),
    ...misusesOf('unexpired.body', (body) => send({ body }), ['a function']),
    ...misusesOf('unexpired.account', (account) => send({ account }), ['a string']),
    ...misusesOf('unexpired.minTtlMs', (minTtlMs) => send({ minTtlMs })),
    ...misusesOf('unexpired.replaceAuthorization', (value) => send({ replaceAuthorization: value }), [
      'true',
    ]),
    [
      'an account for one source',
      () => send({ account: SECRET }),
      /`unexpired\.account` needs an adapter with a resolver/,
    ],
    ['an unknown key', () => send({ retry: SECRET }), /`unexpired\.retry` is not an option; there are: /],
  ];
}
