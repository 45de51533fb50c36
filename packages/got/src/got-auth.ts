import { checkAdapter, describe401, guardRequest } from '@unexpired/core';
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
import { begin, callOf, isRecorded, judge, once, replayOf, tidy, type Call } from './call.ts';

type Retry = (options: OptionsInit) => never;
type Answered = (response: Response) => Promise<Authorization | undefined>;

/** Whose a hook is, and for which request: a page of `paginate` may bring those of the page before it along. */
const ours = new WeakMap<object, { readonly tokens: unknown; readonly given: Options }>();

function isAttached(given: Options, tokens: unknown): boolean {
  const owners = given.hooks.beforeRequest.map((hook) => ours.get(hook));
  return owners.some((owner) => owner?.given === given && owner.tokens === tokens);
}

/** Puts hooks around those of the user: the last to see a request, and the first to see its response. */
function attach(call: Call, request: GuardedRequest, tokens: unknown): Answered {
  const { options: given } = call;
  const own = <H extends object>(hook: H): H => (ours.set(hook, { tokens, given }), hook);
  const others = <H extends object>(hooks: H[]): H[] =>
    hooks.filter((hook) => ours.get(hook)?.tokens !== tokens);

  const answered: Answered = (response) => {
    tidy(call);
    const { statusCode: status, headers, url } = response;
    return request.answered({ url, status, header: (name) => headers[name]?.toString(), native: response });
  };
  async function authorize({ headers }: Pick<Options, 'headers'>): Promise<void> {
    judge(call);
    call.authorization = await request.authorize();
    if (call.authorization === undefined) return;
    delete headers['authorization'];
    Object.assign(headers, call.authorization.headers);
  }
  async function replay(response: Response, retry: Retry): Promise<Response> {
    return (await answered(response)) === undefined ? response : retry(await replayOf(call, request));
  }
  async function explain(error: RequestError): Promise<RequestError> {
    tidy(call);
    if (given.isStream && error.response) await answered(error.response).catch(() => undefined);
    const why = describe401(error.response);
    if (why !== undefined) error.message += `. ${why}`;
    return error;
  }

  const { hooks } = given;
  const start = own<BeforeRequestHook>((options) => begin(call, options as Options));
  hooks.beforeRequest = [start, ...others(hooks.beforeRequest), own(authorize)];
  hooks.afterResponse = [own(replay), ...others(hooks.afterResponse)];
  hooks.beforeRetry = [own(() => tidy(call)), ...others(hooks.beforeRetry)];
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
    const isUpload = isRecorded(call);
    // Here, not in a hook: there, got drops the length that the caller declared.
    if (isUpload) given.body = once(() => request.body());
    call.own = given.body;
    const result = next(given);
    const end = (): void => request.dispose();
    if (isUpload) void (result as Promise<unknown>).then(end, () => request.dispose(true));
    const stream = result as Request;
    // By then all that sends, or keeps a response, has a copy of the headers.
    stream.on('request', () => tidy(call));
    // About the responses of streams, got asks no hook.
    const tell = (response: Response): void => void answered(response).catch(end);
    if (given.isStream) stream.once('response', tell);
    return result;
  };
  return { handlers: [handler] };
}
