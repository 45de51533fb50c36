import { Agent } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { runAdapterSuite, type SuiteAnswer } from '@unexpired/testing';
import type { Body } from './request.ts';
import { requestAuth } from './request-auth.ts';

const notTaken = 'the client takes text, bytes and iterables';
const noRedirects = 'the client follows no redirects';

runAdapterSuite({
  test,
  createClient(tokens, options, pool) {
    const send = requestAuth(tokens, options);
    const agent = pool && new Agent({ keepAlive: true, maxSockets: pool.connections });
    return async ({ url, body, isLong: _, ...others }): Promise<SuiteAnswer> => {
      try {
        const response = await send(url, { ...others, body: body as Body | undefined, agent });
        const { statusCode: status, headers } = response;
        const header = { get: (name: string) => headers[name.toLowerCase()]?.toString() };
        return { status, text: await text(response), headers: header, error: undefined, native: response };
      } catch (error) {
        return { status: undefined, text: '', headers: new Headers(), error, native: undefined };
      }
    };
  },
  cycles: 50,
  bodies: {
    string: true,
    'plain object': notTaken,
    bytes: true,
    'array buffer': notTaken,
    blob: notTaken,
    'url search params': notTaken,
    'form data': notTaken,
    'form-data package': notTaken,
    'node stream': true,
    'web stream': true,
    'async generator': true,
    'restartable iterable': true,
  },
  skips: {
    'a redirect to another origin does not take the access token along': noRedirects,
    'a redirect within the origin keeps the access token': noRedirects,
    'the 401 of a redirect target on another origin costs no exchange': noRedirects,
    'the replay after a redirect within the origin begins anew': noRedirects,
  },
});
