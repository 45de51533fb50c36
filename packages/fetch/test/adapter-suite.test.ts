import { test } from '@jest/globals';
import { fetchAuth } from '@unexpired/fetch';
import { runAdapterSuite, type SuiteAnswer, type SuiteClient, type SuitePool } from '@unexpired/testing';
import { Agent, fetch as undiciFetch } from 'undici';

/** The fetch of Node has no pool that can be chosen. */
function fetchWith({ connections }: SuitePool): typeof fetch {
  const dispatcher = new Agent({ connections });
  const send = (url: string, init: object): unknown => undiciFetch(url, { ...init, dispatcher });
  return send as typeof fetch;
}

async function answerOf(response: Response): Promise<SuiteAnswer> {
  const { status, headers } = response;
  return { status, headers, text: await response.text(), error: undefined, native: response };
}

runAdapterSuite({
  test,
  createClient(tokens, options, pool): SuiteClient {
    const authFetch = fetchAuth(tokens, { ...options, fetch: pool && fetchWith(pool) });
    return async ({ url, isLong: _, ...init }) => {
      try {
        return await answerOf(await authFetch(url, { duplex: 'half', ...init } as RequestInit));
      } catch (error) {
        return { status: undefined, text: '', headers: new Headers(), error, native: error as object };
      }
    };
  },
  cycles: process.env['SOAK'] === '1' ? 10_000 : 500,
  bodies: {
    string: true,
    'plain object': 'fetch makes the text [object Object] of it',
    bytes: true,
    'array buffer': true,
    blob: true,
    'url search params': true,
    'form data': true,
    'form-data package': 'fetch makes the text [object FormData] of it',
    'node stream': true,
    'web stream': true,
    'async generator': true,
    'restartable iterable': true,
  },
});
