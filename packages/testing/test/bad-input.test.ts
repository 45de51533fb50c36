import {
  createAuthorizationServer,
  createFakeClock,
  createResourceServer,
  faults,
  multipartParts,
  runAdapterSuite,
  runProcessSuite,
  runStoreSuite,
  startRace,
} from '@unexpired/testing';
import { misusesOf, testMisuses, type Misuse } from '../../../test/bad-input.ts';

const OBJECTS = ['an object'];
const FUNCTIONS = ['a function'];
const LISTS = ['a list'];

const register = Object.assign((): void => undefined, { skip: (): void => undefined });
const adapterSuite = (options: object): void =>
  runAdapterSuite({ test: register, createClient: () => () => undefined, bodies: {}, ...options } as never);
const storeSuite = (options: object): void =>
  runStoreSuite({ test: register, createPlace: () => ({}), ...options } as never);
const processSuite = (options: object): void =>
  runProcessSuite({ test: register, createPlace: () => ({}), lock: 'system', ...options } as never);
const race = (options: object): unknown =>
  startRace({
    store: { module: '/nowhere.ts' },
    server: { tokenEndpoint: 'http://127.0.0.1:1' },
    ...options,
  } as never);
const serve = (options: object): unknown => createAuthorizationServer(options);
const signIn = async (options: unknown): Promise<void> => {
  const server = await createAuthorizationServer();
  try {
    await server.signIn(options as never);
  } finally {
    await server.close();
  }
};

const misspelled = (use: (options: object) => unknown): Misuse => [
  'a misspelled option',
  () => use({ cros: true }),
  /`cros` is not an option; there are: /,
];

testMisuses('testing', {
  createAuthorizationServer: [
    ...misusesOf('options', (options) => createAuthorizationServer(options as never), OBJECTS),
    misspelled(serve),
    ...['rotation', 'graceMs', 'expiresIn', 'refreshIn', 'clock'].flatMap((name) =>
      misusesOf(name, (value) => serve({ [name]: value })),
    ),
    ...['accessTokensDieAtRefresh', 'cors'].flatMap((name) =>
      misusesOf(name, (value) => serve({ [name]: value }), ['true']),
    ),
    ...misusesOf('clients', (clients) => serve({ clients }), LISTS),
    ...misusesOf('options', signIn, OBJECTS),
    ...misusesOf('account', (account) => signIn({ account }), ['a string']),
    ...misusesOf('expiresIn', (expiresIn) => signIn({ expiresIn })),
  ],
  createResourceServer: [
    ...misusesOf('options', (options) => createResourceServer(options as never), OBJECTS),
    misspelled((options) => createResourceServer(options)),
    ...misusesOf('accepts', (accepts) => createResourceServer({ accepts } as never), FUNCTIONS),
    ...misusesOf('refusal', (refusal) => createResourceServer({ refusal } as never), OBJECTS),
    ...misusesOf('respond', (respond) => createResourceServer({ respond } as never), [
      ...OBJECTS,
      ...FUNCTIONS,
    ]),
    ...['early', 'keepBodies', 'cors'].flatMap((name) =>
      misusesOf(name, (value) => createResourceServer({ [name]: value }), ['true']),
    ),
  ],
  createFakeClock: [
    ...misusesOf('options', (options) => createFakeClock(options as never), OBJECTS),
    misspelled((options) => createFakeClock(options)),
    ...misusesOf('now', (now) => createFakeClock({ now } as never)),
    ['Infinity as now', () => createFakeClock({ now: Infinity }), /`now` must be a finite number/],
    [
      'a step back',
      () => createFakeClock().advance(-1),
      /`advance` takes milliseconds, 0 or more, and was given -1/,
    ],
    ['NaN', () => createFakeClock().advance(Number.NaN), /and was given NaN/],
    ['an endless sleep', () => createFakeClock().sleep(Infinity), /`sleep` takes milliseconds/],
  ],
  runAdapterSuite: [
    ...misusesOf('options', (options) => runAdapterSuite(options as never), OBJECTS),
    [
      'no option',
      () => runAdapterSuite({} as never),
      /`test` must be a test function with skip\(\), got undefined/,
    ],
    misspelled(adapterSuite),
    [
      'no client',
      () => adapterSuite({ createClient: undefined }),
      /`createClient` must be a function, got undefined/,
    ],
    ...misusesOf('test', (test) => adapterSuite({ test })),
    ...misusesOf('createClient', (createClient) => adapterSuite({ createClient }), FUNCTIONS),
    ...['bodies', 'skips'].flatMap((name) =>
      misusesOf(name, (value) => adapterSuite({ [name]: value }), OBJECTS),
    ),
    ...misusesOf('cycles', (cycles) => adapterSuite({ cycles })),
    [
      'a case that there is not',
      () => adapterSuite({ skips: { nothing: 'x' } }),
      /`skips` names a case that there is not/,
    ],
  ],
  runStoreSuite: [
    ...misusesOf('options', (options) => runStoreSuite(options as never), OBJECTS),
    [
      'no option',
      () => runStoreSuite({} as never),
      /`test` must be a test function with skip\(\), got undefined/,
    ],
    misspelled(storeSuite),
    [
      'no place',
      () => storeSuite({ createPlace: undefined }),
      /`createPlace` must be a function, got undefined/,
    ],
    ...misusesOf('test', (test) => storeSuite({ test })),
    ...misusesOf('createPlace', (createPlace) => storeSuite({ createPlace }), FUNCTIONS),
    ...misusesOf('shared', (shared) => storeSuite({ shared }), ['true']),
  ],
  runProcessSuite: [
    ...misusesOf('options', (options) => runProcessSuite(options as never), OBJECTS),
    misspelled(processSuite),
    ['no lock', () => processSuite({ lock: undefined }), /`lock` must be 'system' or 'lease', got undefined/],
    ...misusesOf('test', (test) => processSuite({ test })),
    ...misusesOf('createPlace', (createPlace) => processSuite({ createPlace }), FUNCTIONS),
    ...['lock', 'processes', 'generations', 'rounds'].flatMap((name) =>
      misusesOf(name, (value) => processSuite({ [name]: value })),
    ),
    ...misusesOf('skips', (skips) => processSuite({ skips }), OBJECTS),
    [
      'a case that there is not',
      () => processSuite({ skips: { nothing: 'x' } }),
      /`skips` names a case that there is not/,
    ],
  ],
  startRace: [
    ...misusesOf('options', (options) => startRace(options as never), OBJECTS),
    misspelled(race),
    ['no server', () => race({ server: undefined }), /`server` must be a server with a tokenEndpoint/],
    ['no tokens', () => race({}), /`tokens` must be a token response, since `server` has no signIn\(\)/],
    ...misusesOf('store', (store) => race({ store }), OBJECTS),
    ...misusesOf('module', (module) => race({ store: { module } })),
    ...['server', 'processes', 'asking', 'callers'].flatMap((name) =>
      misusesOf(name, (value) => race({ [name]: value })),
    ),
    ...misusesOf('account', (account) => race({ account }), ['a string']),
    ...['parameters', 'source'].flatMap((name) =>
      misusesOf(name, (value) => race({ [name]: value }), OBJECTS),
    ),
  ],
  multipartParts: [
    ['another type', () => read('text/plain', ''), /names no multipart boundary/],
    ['no type', () => read(undefined, ''), /names no multipart boundary/],
    ['no body', () => read('multipart/form-data; boundary=b', ''), /does not begin with the boundary/],
    [
      'half a body',
      () => read('multipart/form-data; boundary=b', '--b\r\n\r\n'),
      /does not end with the boundary/,
    ],
  ],
  faults: [
    ['no wait', () => faults.retryLater(503, undefined as never), undefined],
    ['no member', () => faults.without(), undefined],
  ],
});

function read(contentType: string | undefined, body: string): unknown {
  return multipartParts({ headers: { 'content-type': contentType }, body: Buffer.from(body) });
}
