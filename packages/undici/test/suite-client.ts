import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestOptions } from '@unexpired/core';
import type { SuiteAnswer, SuiteClient } from '@unexpired/testing';
import type { Dispatcher } from 'undici';

interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: { text(): Promise<string> };
}

/** As much of an undici as the suite needs, of any version. */
export interface Undici {
  readonly request: (url: string, options: object) => Promise<Response>;
}

function answerOf({ statusCode: status, headers }: Response, text: string): SuiteAnswer {
  const get = (name: string): string | undefined => headers[name.toLowerCase()]?.toString();
  return { status, text, headers: { get }, error: undefined, native: undefined };
}

function failed(error: unknown): SuiteAnswer {
  return { status: undefined, text: '', headers: new Headers(), error, native: undefined };
}

/** A client that sends by `request`. */
export function requestClient({ request }: Undici, dispatcher: unknown): SuiteClient {
  return async ({ url, isLong: _isLong, ...options }) => {
    try {
      const response = await request(url, { method: 'GET', ...options, dispatcher });
      return answerOf(response, await response.body.text());
    } catch (error) {
      return failed(error);
    }
  };
}

/** fetch takes nothing along for a dispatcher but what HTTP has. */
const unexpiredOfFetch = new AsyncLocalStorage<RequestOptions | undefined>();

/** To be composed after the adapter. */
export const carry: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (opts, handler) =>
  dispatch({ ...opts, unexpired: unexpiredOfFetch.getStore() }, handler);

/** A client that sends by a fetch that takes such a dispatcher. */
export function fetchClient(
  fetch: (url: string, init: never) => Promise<globalThis.Response>,
  dispatcher: unknown,
): SuiteClient {
  return async ({ url, isLong: _isLong, unexpired, ...own }) => {
    const init = { ...own, duplex: 'half', dispatcher } as never;
    try {
      const response = await unexpiredOfFetch.run(unexpired, () => fetch(url, init));
      const { status, headers } = response;
      return { status, headers, text: await response.text(), error: undefined, native: undefined };
    } catch (error) {
      return failed((error as Error).cause ?? error);
    }
  };
}
