import { describe401, type Authorization, type GuardedRequest } from '@unexpired/core';
import type { BeforeRequestHook, Options, OptionsInit, RequestError, Response } from 'got';
import { begin, repetitionOf, tidy, type Call } from './call.ts';

/** Whose a hook is, and for which request: a page of `paginate` may bring those of the page before it along. */
const ours = new WeakMap<object, { readonly tokens: unknown; readonly given: Options }>();

export function isAttached(given: Options, tokens: unknown): boolean {
  const owners = given.hooks.beforeRequest.map((hook) => ours.get(hook));
  return owners.some((owner) => owner?.given === given && owner.tokens === tokens);
}

/** Puts hooks around those of the user: the last to see a request, and the first to see its response. */
export function attach(call: Call, request: GuardedRequest, tokens: unknown): void {
  const { options: given } = call;

  function answered(response: Response): Promise<Authorization | undefined> {
    tidy(call);
    const { statusCode: status, headers, url } = response;
    return request.answered({ url, status, header: (name) => headers[name]?.toString(), native: response });
  }

  function own<H extends object>(hook: H): H {
    ours.set(hook, { tokens, given });
    return hook;
  }
  const others = <H extends object>(hooks: H[]): H[] =>
    hooks.filter((hook) => ours.get(hook)?.tokens !== tokens);

  const { hooks } = given;
  hooks.beforeRequest = [
    own<BeforeRequestHook>((options) => begin(call, options as Options)),
    ...others(hooks.beforeRequest),
    own<BeforeRequestHook>(async ({ headers }) => {
      call.authorization = await request.authorize();
      if (call.authorization === undefined) return;
      delete headers['authorization'];
      Object.assign(headers, call.authorization.headers);
    }),
  ];
  hooks.afterResponse = [
    own(async (response: Response, retry: (options: OptionsInit) => never) =>
      (await answered(response)) === undefined ? response : retry(await repetitionOf(call, request)),
    ),
    ...others(hooks.afterResponse),
  ];
  hooks.beforeRetry = [own(() => tidy(call)), ...others(hooks.beforeRetry)];
  hooks.beforeError = [
    own(async (error: RequestError) => {
      tidy(call);
      // About the responses of streams, got asks nobody else.
      if (given.isStream && error.response) await answered(error.response).catch(() => undefined);
      const why = describe401(error.response);
      if (why !== undefined) error.message += `. ${why}`;
      return error;
    }),
    ...others(hooks.beforeError),
  ];
}
