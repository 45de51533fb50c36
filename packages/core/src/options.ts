/** What came, told without its content: an option may hold a secret, and so may a number in a secret's place. */
function shown(value: unknown, expected: string): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return /string|token/.test(expected) ? 'a number' : String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (value === '') return 'an empty string';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

export function invalidOption(name: string, expected: string, got: unknown): TypeError {
  return new TypeError(`\`${name}\` must be ${expected}, got ${shown(got, expected)}`);
}

/** What an option must be, in words and as a test. */
export type Check = readonly [expected: string, test: (value: unknown) => boolean];

export type Checks = Readonly<Record<string, Check>>;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Timers of Node and browsers overflow above 2^31 - 1 ms and then fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const isMs = (value: unknown): boolean =>
  typeof value === 'number' && value >= 0 && value <= LONGEST_TIMER_MS;

export const MILLISECONDS: Check = ['a number of milliseconds from 0 to 2147483647', isMs];
export const FUNCTION: Check = ['a function', (value) => typeof value === 'function'];
export const BOOLEAN: Check = ['true or false', (value) => typeof value === 'boolean'];
export const OBJECT: Check = ['an object', isObject];
export const TEXT: Check = [
  'a string that is not empty',
  (value) => typeof value === 'string' && value !== '',
];

/** `undefined` counts as absent; a member that no check names is a mistake worth an error. */
export function checkOptions(options: unknown, checks: Checks, path = ''): void {
  if (!isObject(options)) throw invalidOption(path === '' ? 'options' : path, 'an object', options);
  const prefix = path === '' ? '' : `${path}.`;
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) {
      const known = Object.keys(checks).join(', ');
      throw new TypeError(`\`${prefix}${name}\` is not an option; there are: ${known}`);
    }
    const [expected, test] = check;
    if (value !== undefined && !test(value)) throw invalidOption(prefix + name, expected, value);
  }
}
