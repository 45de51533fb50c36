import type { Clock, Instant } from './clock.ts';
import { instantOf } from './clock.ts';
import { factsOf, isAccessTokenError } from './errors.ts';
import {
  classifyAnswer,
  classifyOwn,
  classifyThrown,
  withoutSecrets,
  type Answer,
  type CodeTable,
  type Failure,
} from './failure.ts';
import { isObject } from './options.ts';
import type { Binding } from './record.ts';
import { isAccessToken, type TokenResponse, type TokenSet } from './token-response.ts';

/** What a refresh function is called with. */
export interface RefreshRequest {
  /** Undefined where there is none, which is ordinary: client credentials, a back-end with a cookie, a token file. */
  readonly refreshToken: string | undefined;
  /** All that is known of the credential, under wire names, with the members that other parties added. */
  readonly tokens: TokenSet | undefined;
  /** Aborts after `limits.exchangeMs`. What is returned later is still used while it is the newest. */
  readonly signal: AbortSignal;
  /** 1 for the first try of a flight. */
  readonly attempt: number;
}

/**
 * Obtains new tokens. It must not send its request through a client that this token source guards. Called once for
 * each attempt, never twice at once for one account, at most 8 times at once over all accounts that share the function.
 *
 * It returns a token response, or the fetch `Response` that holds one. A thrown `AccessTokenError` is obeyed; a thrown
 * error with a `response` (axios, ky, got) is judged by that response; any other throw is transient, with an unknown
 * outcome unless its cause says that nothing was sent.
 */
export interface RefreshFunction {
  (request: RefreshRequest): TokenResponse | Response | Promise<TokenResponse | Response>;
  /** Kept in the stored record; a record of another binding is refused before anything is sent. */
  readonly binding?: Binding | undefined;
  /** What it presents beside the tokens, such as a client secret: where a server repeats it, it is not shown. */
  readonly secrets?: (() => readonly string[]) | undefined;
}

export type Outcome =
  | { readonly response: TokenResponse; readonly sentAt: Instant }
  | { readonly failure: Failure };

/** No token response is longer. */
const LONGEST_BODY = 1024 * 1024;
/** Stands for a longer one: neither JSON nor empty. */
const TOO_LONG = '…';

interface ResponseLike {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body?: Partial<ReadableStream<Uint8Array>> | null;
  text(): Promise<string>;
}

// By shape: a Response of undici, of another realm, or of a test is one too.
function isResponse(value: unknown): value is ResponseLike {
  return isObject(value) && typeof value['status'] === 'number' && typeof value['text'] === 'function';
}

async function readBounded(response: ResponseLike): Promise<string> {
  const reader = response.body?.getReader?.();
  // No body, or one that is no web stream, as node-fetch has it.
  if (reader === undefined) return response.text();
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.byteLength;
    if (length > LONGEST_BODY) {
      await reader.cancel();
      return TOO_LONG;
    }
    text += decoder.decode(value, { stream: true });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function headerOf(headers: unknown, name: string): string | undefined {
  if (!isObject(headers)) return undefined;
  const { get } = headers as { get?: (name: string) => unknown };
  const value = typeof get === 'function' ? get.call(headers, name) : headers[name];
  return typeof value === 'string' ? value : undefined;
}

function answerOf(status: number, headers: unknown, body: unknown): Answer {
  const json = typeof body === 'string' ? parsed(body) : body;
  const empty = body === '' || body === undefined || body === null;
  return { status, retryAfter: headerOf(headers, 'retry-after'), json, empty };
}

/** Tokens in a complete answer; ones beside an error are no tokens. */
function tokensIn(status: number, json: unknown): TokenResponse | undefined {
  const granted = status >= 200 && status < 300 && isObject(json) && !json['error'] && json['ok'] !== false;
  return granted && isAccessToken(json['access_token']) ? json : undefined;
}

/** The response that an HTTP client's error carries: axios has `data`, got `body`, ky a fetch Response (and `data`). */
async function answerIn(error: unknown): Promise<Answer | undefined> {
  if (!isObject(error) || !isObject(error['response'])) return undefined;
  const response = error['response'];
  const status = response['status'] ?? response['statusCode'];
  if (typeof status !== 'number') return undefined;
  let body = response['data'] ?? error['data'] ?? response['body'];
  if (isResponse(response) && error['data'] === undefined) {
    body = await readBounded(response).catch(() => '');
  }
  return answerOf(status, response['headers'], body);
}

interface Judging {
  readonly codes: CodeTable;
  readonly clock: Clock;
}

function judgeAnswer(answer: Answer, sentAt: Instant, { codes, clock }: Judging): Outcome {
  const response = tokensIn(answer.status, answer.json);
  if (response !== undefined) return { response, sentAt };
  return { failure: classifyAnswer(answer, codes, clock.now()) };
}

async function answerTo(value: unknown): Promise<Answer> {
  if (!isResponse(value)) return answerOf(200, undefined, value);
  return answerOf(value.status, value.headers, await readBounded(value));
}

async function judgeThrown(error: unknown, sentAt: Instant, judging: Judging): Promise<Outcome> {
  if (isAccessTokenError(error)) return { failure: classifyOwn(error) };
  // Whatever was thrown may throw again when it is looked into.
  const answer = await answerIn(error).catch(() => undefined);
  if (answer !== undefined) return judgeAnswer(answer, sentAt, judging);
  return { failure: classifyThrown(error, factsOf(error)) };
}

async function judgeCall(
  refresh: RefreshFunction,
  request: RefreshRequest,
  judging: Judging,
): Promise<Outcome> {
  const sentAt = instantOf(judging.clock);
  try {
    return judgeAnswer(await answerTo(await refresh(request)), sentAt, judging);
  } catch (error) {
    return judgeThrown(error, sentAt, judging);
  }
}

/** One call of the refresh function, brought to one form. It never rejects. */
export async function callRefresh(
  refresh: RefreshFunction,
  request: RefreshRequest,
  judging: Judging,
): Promise<Outcome> {
  const outcome = await judgeCall(refresh, request, judging);
  if (!('failure' in outcome)) return outcome;
  try {
    return { failure: withoutSecrets(outcome.failure, refresh.secrets?.() ?? []) };
  } catch (error) {
    return { failure: classifyThrown(error, {}) };
  }
}
