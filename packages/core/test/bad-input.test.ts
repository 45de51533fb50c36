import {
  AccessTokenError,
  bodyOfRequest,
  checkAdapter,
  checkOptions,
  conceal,
  confine,
  createKeyedMutex,
  createMemoryStore,
  createStoreFrom,
  describe401,
  drain,
  explain401,
  guardRequest,
  invalidOption,
  isOneShot,
  isWrapped,
  markWrapper,
  sendFetch,
  sendGuarded,
  streamOf,
  wrappingOf,
  type FetchCall,
  type FoundRequest,
  type TokenStore,
  type Transport,
} from '@unexpired/core';
import {
  garbage,
  misusesOf,
  misusesOfAdapter,
  misusesOfRequests,
  NUMERIC_SECRET,
  SECRET,
  testMisuses,
  type Misuse,
} from '../../../test/bad-input.ts';
import { API, misusesOfCalls, misusesOfOptions, source } from './source-misuses.ts';

const OBJECTS = ['an object'];
const FUNCTIONS = ['a function'];

const found: FoundRequest = {
  url: API,
  method: 'GET',
  hasAuthorization: false,
  body: { value: undefined },
  options: undefined,
  native: undefined,
};
const adapter = { tokens: source, options: {} };
const unsent = (): never => {
  throw new Error('It was sent.');
};
const transport: Transport<never> = { send: unsent, facts: unsent, discard: unsent };
const request = { ...found, headers: new Headers(), redirect: undefined, send: unsent } as FetchCall;

const load = (): undefined => undefined;
const save = (): undefined => undefined;

/** What takes whatever it is given. */
const calmly = (use: (value: unknown) => unknown): Misuse[] =>
  garbage.map(([shown, value]) => [shown, () => use(value), undefined]);

testMisuses('core', {
  createTokenSource: [...misusesOfOptions, ...misusesOfCalls],
  createStoreFrom: [
    ...misusesOf('load', (value) => createStoreFrom({ load: value, save } as never), FUNCTIONS),
    ...misusesOf('save', (value) => createStoreFrom({ load, save: value } as never), FUNCTIONS),
    ...garbage.map(([shown, value]): Misuse => [
      `${shown} as the storage`,
      () => createStoreFrom(value as never),
      /`load` must be a function, got undefined/,
    ]),
  ],
  createMemoryStore: [
    [
      'an account that it never saw',
      async () => (await createMemoryStore().read(null as never)) ?? undefined,
      undefined,
    ],
    [
      'a write over what is not there',
      () => (createMemoryStore() as TokenStore).write('a', {} as never, 5),
      undefined,
    ],
  ],
  createKeyedMutex: [
    [
      'a task that is none, and stays free',
      async () => {
        const mutex = createKeyedMutex();
        const { signal } = new AbortController();
        const failed = await mutex
          .runExclusive('k', SECRET as never, signal)
          .catch((error: unknown) => error);
        if (mutex.size > 0) throw new Error('It stays held.');
        await mutex.runExclusive('k', async () => undefined, signal);
        throw failed;
      },
      /task is not a function/,
    ],
  ],
  AccessTokenError: [
    ['a code that there is not', () => new AccessTokenError('ERR_NONE' as never, 'x'), undefined],
    ['nothing', () => new (AccessTokenError as unknown as new () => Error)(), undefined],
  ],
  checkAdapter: misusesOfAdapter(
    (tokens, options) => checkAdapter(tokens, options === undefined ? {} : options),
    source,
  ),
  checkOptions: [
    ...misusesOf('options', (value) => checkOptions(value, {}), OBJECTS),
    [
      'an option that every object has',
      () => checkOptions({ toString: SECRET }, {}),
      /`toString` is not an option/,
    ],
    [
      'an option of another object',
      () => checkOptions(JSON.parse(`{"__proto__":"${SECRET}"}`), {}),
      /`__proto__` is not an option/,
    ],
  ],
  invalidOption: [
    [
      'a secret',
      () => Promise.reject(invalidOption('x', 'a string', SECRET)),
      /`x` must be a string, got a string/,
    ],
    ['a secret number', () => Promise.reject(invalidOption('x', 'a string', NUMERIC_SECRET)), /got a number/],
  ],
  guardRequest: misusesOfRequests((unexpired) => guardRequest(adapter, { ...found, options: unexpired })),
  sendGuarded: misusesOfRequests((unexpired) =>
    sendGuarded(adapter, { ...found, options: unexpired }, transport),
  ),
  sendFetch: misusesOfRequests((unexpired) => sendFetch(adapter, { ...request, options: unexpired })),
  explain401: calmly(explain401),
  describe401: calmly(describe401),
  drain: calmly((value) => drain(value)),
  isOneShot: calmly((value) => isOneShot({ value })),
  bodyOfRequest: [
    ['a Request whose body does not show', () => bodyOfRequest({ method: 'POST' } as Request), undefined],
    ['a Request without a body', () => bodyOfRequest(new Request(API)), undefined],
  ],
  streamOf: [
    [
      'a recording that fails',
      () => {
        const next = (): Promise<never> => Promise.reject(new TypeError('it broke'));
        return streamOf({ [Symbol.asyncIterator]: () => ({ next }) } as never)
          .getReader()
          .read();
      },
      /it broke/,
    ],
  ],
  wrappingOf: calmly(wrappingOf),
  isWrapped: calmly((value) => isWrapped(value, value)),
  markWrapper: [
    [
      'what is no function',
      () => markWrapper(undefined as never, { tokens: SECRET, inner: SECRET }),
      /non-object/,
    ],
  ],
  conceal: [
    ['a name that is not there', () => conceal({}, SECRET), undefined],
    ['a name that every object has', () => conceal({}, 'toString', '__proto__'), undefined],
  ],
  confine: [
    [
      'a URL that is none',
      async () => confine(await source.authorize({ url: API, method: 'GET' })!, { url: '::', headers: {} }),
      undefined,
    ],
  ],
});
