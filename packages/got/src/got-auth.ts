import { Stream, type Readable } from 'node:stream';
import { checkAdapter, describe401, guardRequest, markWrapper, wrappingOf } from '@unexpired/core';
import type {
  Adapter,
  AdapterOptions,
  Authorization,
  GuardedRequest,
  TokenSource,
  TokenSourceResolver,
} from '@unexpired/core';
import type {
  BeforeRequestHook,
  HandlerFunction,
  Options,
  OptionsInit,
  Request,
  RequestError,
  Response,
} from 'got';
import { begin, callOf, isStream, judge, once, replayOf, tidy, type Call } from './call.ts';

type Retry = (options: OptionsInit) => never;
type Answered = (response: Response) => Promise<Authorization | undefined>;

/** For another request: a page of `paginate` may bring the hooks of the page before it along. */
function isAttached(given: Options, tokens: unknown): boolean {
  const owners = given.hooks.beforeRequest.map(wrappingOf);
  return owners.some((owner) => owner?.inner === given && owner.tokens === tokens);
}

/** Puts hooks around those of the user: the last to see a request, and the first to see its response. */
function attach(call: Call, request: GuardedRequest, tokens: unknown): Answered {
  const { options: given } = call;
  const own = <H extends object>(hook: H): H => markWrapper(hook, { tokens, inner: given });
  const others = <H extends object>(hooks: H[]): H[] =>
    hooks.filter((hook) => wrappingOf(hook)?.tokens !== tokens);

  const answered: Answered = async (response) => {
    tidy(call);
    const { statusCode: status, headers, url } = response;
    return request.answered({ url, status, header: (name) => headers[name]?.toString(), native: response });
  };
  async function authorize({ headers }: Pick<Options, 'headers'>): Promise<void> {
    judge(call);
    const authorization = (call.authorization = await request.authorize());
    if (authorization) delete headers['authorization'];
    Object.assign(headers, authorization?.headers);
  }
  async function replay(response: Response, retry: Retry): Promise<Response> {
    return (await answered(response)) === undefined ? response : retry(await replayOf(call, request));
  }
  async function explain(error: RequestError): Promise<RequestError> {
    tidy(call);
    if (given.isStream && error.response) await answered(error.response).catch(() => undefined);
    const why = describe401(error.response);
    if (why) error.message += `. ${why}`;
    return error;
  }

  const last = own(authorize);
  const back = own(replay);
  const start = own<BeforeRequestHook>((options) => {
    const { hooks } = options;
    // got empties it where a hook of the user sends again.
    hooks.afterResponse = [back, ...others(hooks.afterResponse)];
    begin(call, options as Options);
    const theirs = others(hooks.beforeRequest);
    // Each hook costs some microseconds.
    if (!theirs.length) return authorize(options as Options);
    // A handler may have put others behind it; got looks at the array as it goes.
    Object.assign(hooks.beforeRequest, [start, ...theirs, last]);
    return undefined;
  });
  const again = own(() => {
    tidy(call);
    delete call.beginning;
  });
  const { hooks } = given;
  hooks.beforeRequest = [start, ...others(hooks.beforeRequest)];
  hooks.beforeRetry = [again, ...others(hooks.beforeRetry)];
  hooks.beforeError = [own(explain), ...others(hooks.beforeError)];
  return answered;
}

/**
 * Options for `got.extend`: requests to the source's origins carry an access token, and a 401 is answered with a fresh
 * one, once. Streams are never sent a second time.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export function gotAuth(
  tokens: TokenSource | TokenSourceResolver,
  options: AdapterOptions = {},
): { handlers: HandlerFunction[] } {
  checkAdapter(tokens, options);
  const adapter: Adapter = { tokens, options };
  // Not async: got.stream would return a promise.
  const handler: HandlerFunction = (given, next) => {
    // Undefined where got could make nothing of the caller's options.
    if ((given as Options | undefined) === undefined || isAttached(given, tokens)) return next(given);
    const call = callOf(given);
    const request = guardRequest(adapter, call.found);
    const answered = attach(call, request, tokens);
    // Here, not in a hook: there, got drops the length that the caller declared.
    const { body } = given;
    const isUpload = !given.isStream && !call.isMadeAnew && isStream(body);
    if (isUpload) call.own = given.body = once(() => request.body());
    // Other handlers may return anything.
    const result = next(given);
    const sent = (result ?? {}) as unknown as Partial<Request> & Partial<Promise<unknown>>;
    const end = (): void => request.dispose();
    // An abort passes hooks by.
    const fail = (): void => {
      tidy(call);
      request.dispose(true);
      // Nobody may have read it.
      (body as Partial<Readable> | undefined)?.destroy?.();
    };
    // By then all that sends, or keeps a response, has a copy of the headers.
    sent.on?.('request', () => tidy(call));
    if (given.isStream) {
      sent.once?.(Stream.errorMonitor, fail);
      // About the responses of streams, got asks no hook.
      sent.once?.('response', (response: Response) => void answered(response).catch(end));
    } else void sent.then?.(end, fail);
    return result;
  };
  return { handlers: [handler] };
}
