import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { createCanaries } from './canaries.ts';

const canaries = createCanaries();
const header = canaries.plant('header');
const text = canaries.plantText('text');

class Account {
  readonly #key: string;
  constructor(key: string) {
    this.#key = key;
  }
  [inspect.custom](): string {
    return `Account <${this.#key}>`;
  }
}

class Sealed {
  readonly #key: string;
  constructor(key: string) {
    this.#key = key;
  }
  matches(key: string): boolean {
    return this.#key === key;
  }
}

class Written extends Sealed {
  toJSON(): object {
    return { key: text };
  }
}

describe('a planted secret is found', () => {
  test.each<[string, unknown]>([
    ['in a text', `Bearer ${text}`],
    ['as a key', { [text]: 1 }],
    ['as the name of a symbol', { [Symbol(text)]: 1 }],
    ['under a symbol', { [Symbol('key')]: [text] }],
    ['in a Map, as a key and as a value', new Map([[{ a: 1 }, new Map([[text, 1]])]])],
    ['in a Set', new Set([[new Set([text])]])],
    ['behind a getter', Object.defineProperty({}, 'key', { get: () => ({ text }), enumerable: true })],
    ['in a message', new Error(text)],
    ['in the cause of a cause', new Error('a', { cause: new Error('b', { cause: { text } }) })],
    ['in one of many errors', new AggregateError([new TypeError('a'), new RangeError(text)])],
    ['in a member of an error', Object.assign(new Error('a'), { config: { headers: [text] } })],
    ['in a stack', Object.assign(new Error('a'), { stack: `Error: a\n    at ${text}` })],
    ['in what a class shows of its private state', { account: new Account(text) }],
    ['in what a class writes as JSON', [new Written('')]],
    ['in what a promise holds', { later: Promise.resolve({ text }) }],
    ['in a function', Object.assign(() => undefined, { key: text })],
    ['in headers', new Headers({ authorization: `Bearer ${header}` })],
    ['in a Request', new Request('https://example.com', { headers: { 'x-key': header } })],
    ['in bytes', { body: Buffer.from(`a=${text}`) }],
    ['in an ArrayBuffer', new TextEncoder().encode(text).buffer],
    ['deep down', Array.from({ length: 50 }).reduce<unknown>((inner) => ({ inner }), text)],
    [
      'on a way round',
      (() => {
        const ring: Record<string, unknown> = { text };
        return (ring['self'] = ring);
      })(),
    ],
  ])('%s', (_, value) => {
    expect(canaries.found(value)).toHaveLength(1);
  });

  test.each<[string, string]>([
    ['in a URL', encodeURIComponent(text)],
    ['in a form', new URLSearchParams({ token: text }).toString()],
    ['in JSON', JSON.stringify({ body: JSON.stringify({ text }) })],
    ['in inspected text', inspect({ text })],
    ['in Basic authentication', Buffer.from(`cli:${text}`).toString('base64')],
    ['in Basic authentication as RFC 6749 wants it', btoa(`cl:${encodeURIComponent(text)}`)],
    ['in the URL form of base64', Buffer.from(`{"key":"${text}"}`).toString('base64url')],
    ['in hexadecimal', Buffer.from(text).toString('hex')],
    ['in the JSON of bytes', JSON.stringify(Buffer.from(text))],
    ['by its first half', text.slice(0, text.length / 2 + 1)],
    ['by its last half', text.slice(text.length / 2)],
    ['twice as long', `${text}${text}`],
  ])('%s', (_, shown) => {
    expect(canaries.found({ shown })).toEqual(['text']);
  });
});

test('what nothing shows is not found', () => {
  const hidden = Object.defineProperty({ a: 1 }, 'key', { value: text });

  expect(canaries.found(hidden, new Sealed(text), new WeakMap([[hidden, text]]), () => text)).toEqual([]);
});
