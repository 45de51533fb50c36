import type { AdapterOptions, TokenSource, TokenSourceResolver } from '@unexpired/core';
import { kyAuth } from '@unexpired/ky';
import type { SuiteAnswer, SuiteClient } from '@unexpired/testing';
import ky, { HTTPError, type Options } from 'ky';

function answerOf({ status, headers }: Response, text: string): Omit<SuiteAnswer, 'error' | 'native'> {
  return { status, headers, text };
}

function isPlain(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.getPrototypeOf(body) === Object.prototype;
}

/** What the adapter suite sends with, with options of ky's own. */
export function createSuiteClient(
  own: Options,
): (tokens: TokenSource | TokenSourceResolver, options?: AdapterOptions) => SuiteClient {
  return (tokens, options) => {
    // A refresh may be held for as long as a test needs.
    const client = ky.create({ timeout: false, ...own }).extend(kyAuth(tokens, options));
    return async ({ url, body, unexpired, ...rest }) => {
      // Restartable iterables are plain objects too.
      const asJson = isPlain(body) && !(Symbol.asyncIterator in (body as object));
      const content = asJson ? { json: body } : { body };
      try {
        const response = await client(url, { ...rest, ...content, context: { unexpired } } as Options);
        return { ...answerOf(response, await response.text()), error: undefined, native: response };
      } catch (error) {
        if (error instanceof HTTPError) {
          const text = typeof error.data === 'string' ? error.data : JSON.stringify(error.data ?? '');
          return { ...answerOf(error.response, text), error, native: error };
        }
        return { status: undefined, text: '', headers: new Headers(), error, native: error as object };
      }
    };
  };
}
