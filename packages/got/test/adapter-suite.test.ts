import { Agent } from 'node:http';
import { test } from '@jest/globals';
import { gotAuth } from '@unexpired/got';
import { runAdapterSuite } from '@unexpired/testing';
import got, { type HTTPError, type OptionsInit, type Response } from 'got';

function answerOf(response: Response<string>, error?: HTTPError) {
  const { statusCode: status, body: text, headers } = response;
  return {
    status,
    text,
    headers: { get: (name: string) => headers[name.toLowerCase()]?.toString() },
    error,
    native: error ?? response,
  };
}

const notTaken = 'got does not take it';

runAdapterSuite({
  test,
  createClient(tokens, options, pool) {
    const agent = pool && { http: new Agent({ keepAlive: true, maxSockets: pool.connections }) };
    const client = got.extend({ retry: { limit: 0 }, ...(agent && { agent }) }, gotAuth(tokens, options));
    return async ({ url, body, unexpired, isLong: _isLong, ...others }) => {
      const isPlain =
        Object.getPrototypeOf(body ?? '') === Object.prototype && !(Symbol.asyncIterator in (body as object));
      const content = isPlain ? { json: body } : { body };
      const init = { ...others, ...content, context: { unexpired } } as OptionsInit;
      try {
        return answerOf((await client(url, init)) as Response<string>);
      } catch (thrown) {
        const error = thrown as HTTPError<string>;
        // Other errors may hold the response of an attempt before.
        if (error.name === 'HTTPError') return answerOf(error.response, error);
        return { status: undefined, text: '', headers: new Headers(), error, native: error };
      }
    };
  },
  cycles: process.env['SOAK'] === '1' ? 10_000 : 500,
  bodies: {
    string: true,
    'plain object': true,
    bytes: true,
    'array buffer': notTaken,
    blob: notTaken,
    'url search params': notTaken,
    'form data': true,
    'form-data package': notTaken,
    'node stream': true,
    'web stream': true,
    'async generator': true,
    'restartable iterable': true,
  },
});
