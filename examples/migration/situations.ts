import { setImmediate } from 'node:timers/promises';
import type { TokenResponse } from '@unexpired/core';
import type { Send, Sent } from './clients.ts';
import { createWorld, type World } from './world.ts';

/** Makes a client that is wired one way, with the program's own hook in it. */
export type Connect = (place: World['place'], first: TokenResponse, onRequest: () => void) => Promise<Send>;

interface Run extends World {
  readonly send: (sent?: Partial<Sent>) => Promise<number | undefined>;
  readonly hookRuns: () => number;
}

type Measured = Record<string, string>;
type Situation = (run: Run) => Promise<Measured>;

const FIVE = [1, 2, 3, 4, 5];
const TEXT = 'what the caller means to send';

const served = (statuses: readonly (number | undefined)[]): string =>
  `${statuses.filter((status) => status === 200).length} of ${statuses.length}`;

/** All that has arrived at sockets of this process is handled by then. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 1000; turn += 1) await setImmediate();
}

/** No token request is answered before all five callers are as far as they get. */
async function exchangeTogether({ server }: Run, calls: readonly ReturnType<Send>[]): Promise<string> {
  await settle();
  server.always(undefined);
  server.release();
  return served(await Promise.all(calls));
}

/** Five requests are sent, and their 401s arrive together. */
async function refuseTogether(run: Run, sent: () => Partial<Sent> = () => ({})): Promise<string> {
  const { server, api, send } = run;
  server.revokeAccessTokens();
  server.always({ hold: 'request' });
  api.next(...FIVE.map(() => ({ hold: 'answer' }) as const));
  const calls = FIVE.map(() => send(sent()));
  await api.requestArrived(5);
  api.release();
  return exchangeTogether(run, calls);
}

/** How many bodies the API took for good, and whether they are what was sent. */
function bodiesOf({ api }: Run, expected: string): string {
  const taken = api.requests.filter(({ status }) => status === 200);
  const whole = taken.filter(({ body }) => body.toString() === expected).length;
  const empty = taken.filter(({ length }) => length === 0).length;
  const changed = taken.length - whole - empty;
  return [`${whole} as sent`, empty && `${empty} empty`, changed && `${changed} changed`]
    .filter(Boolean)
    .join(', ');
}

const refused: Situation = async (run) => {
  const callers = await refuseTogether(run);
  const { server, first, hookRuns } = run;
  return {
    'callers who get their 200': callers,
    'token requests': String(server.exchanges.length),
    'refresh tokens presented twice': String(server.reuses.length),
    'the sign-in is still alive': server.isGrantAlive(first.refresh_token) ? 'yes' : 'no',
    'runs of your own request hook': String(hookRuns()),
  };
};

const jsonBodies: Situation = async (run) => {
  await refuseTogether(run, () => ({ json: { text: TEXT } }));
  return { 'JSON bodies that the API took': bodiesOf(run, JSON.stringify({ text: TEXT })) };
};

const wrappedBodies: Situation = async (run) => {
  await refuseTogether(run, () => ({ wrapped: { text: TEXT } }));
  const expected = JSON.stringify({ wrapped: { text: TEXT } });
  return { 'the same, with a `transformRequest` of yours': bodiesOf(run, expected) };
};

const streams: Situation = async (run) => {
  await refuseTogether(run, () => ({ chunks: [TEXT, TEXT] }));
  return { 'streams that the API took': bodiesOf(run, TEXT + TEXT) };
};

const late: Situation = async ({ server, api, send }) => {
  let answerLate = (): void => undefined;
  const held = new Promise<void>((resolve) => (answerLate = resolve));
  server.revokeAccessTokens();
  api.next(async () => held.then(() => ({ status: 401, headers: { 'WWW-Authenticate': 'Bearer' } })), {});
  const slow = send();
  await api.requestArrived(1);
  await send();
  answerLate();
  await slow;
  return { 'token requests when the 401 of one comes after the refresh': String(server.exchanges.length) };
};

const expired: Situation = async (run) => {
  run.server.always({ hold: 'request' });
  const callers = await exchangeTogether(
    run,
    FIVE.map(() => run.send()),
  );
  const refusals = run.api.requests.filter(({ status }) => status === 401).length;
  return {
    'callers who get their 200, the access token having expired': callers,
    'token requests for that': String(run.server.exchanges.length),
    '401s on the wire for that': String(refusals),
  };
};

const unavailable: Situation = async (run) => {
  run.server.next({ hold: 'request', respond: { status: 503 } });
  run.server.always({ hold: 'request' });
  const callers = await exchangeTogether(
    run,
    FIVE.map(() => run.send()),
  );
  return { 'callers served although the token endpoint says 503 once': callers };
};

const aborted: Situation = async (run) => {
  const { server, send } = run;
  const controller = new AbortController();
  let ended = false;
  server.always({ hold: 'request' });
  const leaving = send({ signal: controller.signal }).finally(() => (ended = true));
  await server.requestArrived(1);
  const others = FIVE.slice(1).map(() => send());
  await settle();
  controller.abort();
  await settle();
  const endedAtOnce = ended;
  const callers = await exchangeTogether(run, others);
  await leaving;
  return {
    'an abort during the refresh ends that call': endedAtOnce ? 'at once' : 'after the refresh',
    'and the other four are served': callers,
  };
};

const refusedAgain: Situation = async ({ server, api, send }) => {
  api.always(401);
  for (let call = 0; call < 5; call += 1) await send();
  return { 'token requests for five calls, the API refusing each token': String(server.exchanges.length) };
};

const otherOrigin: Situation = async ({ elsewhere, send }) => {
  await send({ url: `${elsewhere.origin}/` });
  const seen = elsewhere.requests.some(({ bearerToken }) => bearerToken !== undefined);
  return { 'a URL of another origin gets the access token': seen ? 'yes' : 'no' };
};

async function inWorld(connect: Connect, situation: Situation, expiresIn?: number): Promise<Measured> {
  const world = await createWorld(expiresIn);
  try {
    let hookRuns = 0;
    const send = await connect(world.place, world.first, () => void (hookRuns += 1));
    const url = `${world.place.api}/reports`;
    return await situation({ ...world, hookRuns: () => hookRuns, send: (sent) => send({ url, ...sent }) });
  } finally {
    await world.close();
  }
}

/** Puts one client through everything, each time in a world of its own. */
export async function measure(connect: Connect, transforms: boolean): Promise<Measured> {
  const whileValid = [refused, jsonBodies, ...(transforms ? [wrappedBodies] : []), streams, late];
  const runs: [Situation, number?][] = [
    ...whileValid.map((situation): [Situation] => [situation]),
    [expired, -1],
    [unavailable, -1],
    [aborted, -1],
    [refusedAgain],
    [otherOrigin],
  ];
  const measured: Measured = {};
  for (const [situation, expiresIn] of runs) {
    Object.assign(measured, await inWorld(connect, situation, expiresIn));
  }
  return measured;
}
