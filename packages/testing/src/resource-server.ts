import type { IncomingMessage, ServerResponse } from 'node:http';
import { createArrivals, type Arrivals } from './arrivals.ts';
import type { Checks } from '@unexpired/core';
import { BOOLEAN, checkGiven, FUNCTION, OBJECT } from './checks.ts';
import { answerCors } from './cors.ts';
import type { Answer, Fault } from './fault.ts';
import { listen, type Loopback } from './loopback.ts';
import { receive, type OpenRequest, type ReceivedRequest } from './received-request.ts';
import { createScript, type Script } from './script.ts';
import { sendAnswer } from './send-answer.ts';

/** An answer that depends on the request. */
export type Responder = (request: ReceivedRequest) => Answer | Promise<Answer>;

/** What happens to one request. A `hold` at `request` comes before the token is judged, one at `answer` after. */
export interface ResourceFault extends Omit<Fault, 'respond'> {
  /** Is sent in place of the server's own answer, whatever the token. */
  readonly respond?: Answer | Responder | undefined;
  /** Answers once the headers are there; the body is still read and recorded. @default that of the server */
  readonly early?: boolean | undefined;
}

/**
 * A fault, or in short what to respond: `401` refuses any token, `200` accepts any, another status has an empty body.
 */
export type ResourceStep = ResourceFault | Responder | number;

export interface ResourceServerOptions {
  /**
   * Whether a token is good here; undefined where the request has no bearer token.
   * @default any token is good
   */
  readonly accepts?: ((accessToken: string | undefined, request: ReceivedRequest) => boolean) | undefined;
  /**
   * What a refused request is answered, over the default of each member.
   * @default 401, `WWW-Authenticate: Bearer error="invalid_token"` (without the error where no token came), and JSON
   */
  readonly refusal?: Answer | undefined;
  /** What an accepted request is answered. @default 200 and `{ method, url, length, sha256 }` of what arrived */
  readonly respond?: Answer | Responder | undefined;
  /** Answers every request once its headers are there. @default false */
  readonly early?: boolean | undefined;
  /** Keeps the bytes of bodies; without, only their length and hash. @default true */
  readonly keepBodies?: boolean | undefined;
  /** Lets pages of any origin call it, and answers preflights, which are not recorded. @default false */
  readonly cors?: boolean | undefined;
}

/** A running resource server. Its functions need no `this`. */
export interface ResourceServer {
  readonly origin: string;
  /** Every request, in the order of arrival. */
  readonly requests: readonly ReceivedRequest[];
  /**
   * The `count`th request since the start: once its body has been read or broke off; with `early`, once its headers
   * are there. @default 1
   */
  readonly requestArrived: (count?: number) => Promise<ReceivedRequest>;

  /** Gives the next requests one step each; an empty object is an ordinary request. */
  readonly next: (...steps: ResourceStep[]) => void;
  /** Gives every request this step unless `next` has one for it; undefined ends that. */
  readonly always: (step: ResourceStep | undefined) => void;
  /** Requests that a `hold` holds now. */
  readonly held: number;
  /** Lets go of the requests that are held now; says how many that were. */
  readonly release: () => number;

  /** Connections accepted since the start. */
  readonly connections: number;
  /** Connections open now. */
  readonly openConnections: number;
  /** Destroys every open connection. */
  readonly dropConnections: () => void;

  /** Closes the server and its connections; whoever waits for an arrival is rejected. */
  readonly close: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

interface State {
  readonly options: ResourceServerOptions;
  readonly loopback: Loopback;
  readonly requests: Arrivals<OpenRequest>;
  readonly script: Script<ResourceStep>;
}

function refuse({ bearerToken }: ReceivedRequest, refusal: Answer = {}): Answer {
  const challenge = bearerToken === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
  return {
    status: refusal.status ?? 401,
    headers: refusal.headers ?? { 'WWW-Authenticate': challenge },
    body: refusal.body ?? { error: 'invalid_token' },
  };
}

function echo({ method, url, length, sha256 }: ReceivedRequest): Answer {
  return { body: { method, url, length, sha256 } };
}

function faultOf(
  step: ResourceStep | undefined,
  { refusal, respond = echo }: ResourceServerOptions,
): ResourceFault {
  if (typeof step === 'function') return { respond: step };
  if (step === 401) return { respond: (request) => refuse(request, refusal) };
  if (step === 200) return { respond };
  return typeof step === 'number' ? { respond: { status: step } } : (step ?? {});
}

function judge(request: ReceivedRequest, options: ResourceServerOptions): Answer | Responder {
  const { accepts = (token) => token !== undefined, refusal, respond = echo } = options;
  return accepts(request.bearerToken, request) ? respond : refuse(request, refusal);
}

async function serve(state: State, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const { options, loopback, requests, script } = state;
  if (options.cors === true && answerCors(message, response)) return;
  const { early = options.early ?? false, respond, ...fault } = faultOf(script.take(), options);
  const connection = loopback.connectionNumber(message.socket);
  const request = receive(message, { connection, keepBodies: options.keepBodies ?? true });
  if (!early) await request.ended;
  requests.add(request);
  const released = fault.hold === undefined ? undefined : script.hold();
  if (fault.hold === 'request') await released;
  if (fault.reset === 'request') {
    response.destroy();
    return;
  }
  const answer = respond ?? judge(request, options);
  const made = typeof answer === 'function' ? await answer(request) : answer;
  await sendAnswer(made, { fault, released, response, record: request });
}

const CHECKS: Checks = {
  accepts: FUNCTION,
  refusal: OBJECT,
  respond: ['an answer, or a function that makes one', (value) => OBJECT[1](value) || FUNCTION[1](value)],
  early: BOOLEAN,
  keepBodies: BOOLEAN,
  cors: BOOLEAN,
};

/**
 * Starts a resource server on a free port of 127.0.0.1 that records exactly what arrives and refuses requests whose
 * access token is not good.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export async function createResourceServer(options: ResourceServerOptions = {}): Promise<ResourceServer> {
  checkGiven(options, CHECKS);
  const loopback = await listen();
  const requests = createArrivals<OpenRequest>('request');
  const script = createScript<ResourceStep>();
  loopback.serve((message, response) => serve({ options, loopback, requests, script }, message, response));
  const close = async (): Promise<void> => {
    requests.end();
    await loopback.close();
    script.release();
  };
  return {
    origin: loopback.origin,
    requests: requests.all,
    requestArrived: (count = 1) => requests.arrived(count),
    next: script.next,
    always: script.always,
    get held() {
      return script.held;
    },
    release: script.release,
    get connections() {
      return loopback.accepted;
    },
    get openConnections() {
      return loopback.open;
    },
    dropConnections: () => loopback.dropConnections(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
