import { inspect, types } from 'node:util';

/** Where a value leads further than this it leads to sockets, agents or the test framework: a fault of the test. */
const MOST_OBJECTS = 30_000;

/** One object, without what it leads to: that is looked at by itself, since `inspect` alone never ends on an agent. */
const OPTIONS = { depth: 1, getters: true, maxArrayLength: null, maxStringLength: null } as const;

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

const isEntries = (value: object): value is Iterable<unknown> =>
  types.isMap(value) ||
  types.isSet(value) ||
  value instanceof Headers ||
  value instanceof URLSearchParams ||
  value instanceof FormData;

/** Bytes as text, in the two ways in which text becomes bytes. */
function decoded(value: object): string[] {
  if (types.isAnyArrayBuffer(value)) return decoded(new Uint8Array(value));
  if (!ArrayBuffer.isView(value)) return [];
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return [bytes.toString('utf8'), bytes.toString('utf16le')];
}

/** What inspection, JSON and a logger of errors show of one object, and where they go on from it. */
function lookAt(value: object): { texts: string[]; next: unknown[] } {
  const texts = [String(attempt(() => inspect(value, OPTIONS))), ...decoded(value)];
  if (ArrayBuffer.isView(value)) return { texts, next: [] };
  const keys = Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
  const next: unknown[] = keys.map((key) => attempt(() => value[key as keyof typeof value]));
  next.push(...keys.map((key) => (typeof key === 'symbol' ? key.description : key)));
  if (isEntries(value)) next.push(...[...value].flat());
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') next.push(attempt(() => toJSON.call(value) as unknown));
  const custom = (value as Record<symbol, unknown>)[inspect.custom];
  if (typeof custom === 'function') next.push(attempt(() => inspect(value, { ...OPTIONS, depth: 6 })));
  // Shown of an error, although they are not enumerable.
  const { name, message, stack, cause, errors } = value as Partial<AggregateError>;
  if (value instanceof Error || stack !== undefined) next.push(name, message, stack, cause, errors);
  return { texts, next };
}

/**
 * All that logging could show of a value, at any depth: what inspection without `showHidden`, JSON and the text of errors
 * walk through, getters too. Each object once.
 */
export function shownOf(value: unknown): string {
  const texts: string[] = [];
  const seen = new Set<object>();
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (!isObject(next)) texts.push(typeof next === 'symbol' ? next.toString() : String(next));
    else if (!seen.has(next)) {
      seen.add(next);
      if (seen.size > MOST_OBJECTS)
        throw new Error(`It leads to native objects: ${inspect(value, { depth: 1 })}`);
      const looked = lookAt(next);
      texts.push(...looked.texts);
      open.push(...looked.next);
    }
  }
  return texts.join('\n');
}
