import { test } from '@jest/globals';
import { fetchAuth } from '@unexpired/fetch';
import { runAdapterSuite, type SuiteAnswer, type SuiteClient } from '@unexpired/testing';

async function answerOf(response: Response): Promise<SuiteAnswer> {
  const { status, headers } = response;
  return { status, headers, text: await response.text(), error: undefined, native: response };
}

runAdapterSuite({
  test,
  createClient(tokens, options): SuiteClient {
    const authFetch = fetchAuth(tokens, options);
    return async ({ url, ...init }) => {
      try {
        return await answerOf(await authFetch(url, { duplex: 'half', ...init } as RequestInit));
      } catch (error) {
        return { status: undefined, text: '', headers: new Headers(), error, native: error as object };
      }
    };
  },
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
