import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { createAuthorizationServer, type AuthorizationServer } from '@unexpired/testing';
import { median, messageOf, start, verdict, type Row, type Table } from './harness.ts';
import { createMeeting, labelOf, STALE_MS, type LockName } from './locks.ts';
import { startRedis } from './redis.ts';
import type { Tells } from './shared-race-runner.ts';

const PROCESSES = 8;
const GENERATIONS = 10;
const GENERATIONS_WITH_STOP = 5;
const LIFETIME_S = 1;
const STOPPED_MS = 2.5 * STALE_MS;

interface Field {
  readonly server: AuthorizationServer;
  readonly runners: readonly ChildProcess[];
}

/** What the runners told. */
interface Course {
  readonly requests: number;
  readonly generations: number;
  readonly isSignedIn: boolean;
  readonly waits: readonly number[];
}

/** Ends the race: all have seen this many generations, or one is signed out. */
function follow({ server, runners }: Field, generations: number): Promise<Course> {
  const seen = runners.map(() => new Set<string>());
  const waits: number[] = [];
  return new Promise((resolve) => {
    const end = (isSignedIn: boolean): void => {
      const issued = new Set(seen.flatMap((tokens) => [...tokens]));
      // The first came by the sign-in.
      resolve({ requests: server.exchanges.length, generations: issued.size - 1, isSignedIn, waits });
    };
    for (const [index, runner] of runners.entries()) {
      runner.on('message', (message: Tells) => {
        if (message === 'ready') return;
        if ('failure' in message) return end(false);
        seen[index]!.add(message.accessToken);
        waits.push(message.waitedMs);
        if (seen.every(({ size }) => size > generations)) end(true);
      });
    }
  });
}

/** Stops the process that refreshes next, between its request and the answer, and lets it go on later. */
async function stopOne({ server, runners }: Field): Promise<void> {
  const next = server.requestArrived(server.exchanges.length + 1);
  server.next({ hold: 'answer' });
  const { headers } = await next;
  const runner = runners[Number(headers['x-process'])]!;
  runner.kill('SIGSTOP');
  server.release();
  await delay(STOPPED_MS);
  runner.kill('SIGCONT');
}

type Run = (field: Field) => Promise<Course>;

const undisturbed: Run = (field) => follow(field, GENERATIONS);

const withStop: Run = async (field) => {
  const course = follow(field, GENERATIONS_WITH_STOP);
  await Promise.race([stopOne(field), course]);
  return course;
};

async function race(name: LockName, redisSocket: string | undefined, run: Run): Promise<Course> {
  const server = await createAuthorizationServer({ rotation: 'strict', expiresIn: LIFETIME_S });
  const meeting = createMeeting(redisSocket);
  const place = JSON.stringify(meeting);
  const runners = Array.from({ length: PROCESSES }, (_, index) =>
    start('shared-race-runner.ts', name, place, server.tokenEndpoint, String(index)),
  );
  try {
    await Promise.all(runners.map((runner) => messageOf(runner)));
    const signedIn = messageOf(runners[0]!);
    runners[0]!.send({ signIn: await server.signIn() });
    await signedIn;
    const course = run({ server, runners });
    for (const runner of runners) runner.send('go');
    return await course;
  } finally {
    for (const runner of runners) runner.kill('SIGKILL');
    await server.close();
    meeting.remove();
  }
}

function rowOf(name: LockName, { requests, generations, isSignedIn, waits }: Course): Row {
  const isOne = requests === generations && isSignedIn;
  const shown = (figure: number, digits = 0): string => (generations === 0 ? '–' : figure.toFixed(digits));
  return {
    with: labelOf(name),
    generations,
    'token requests': requests,
    'per generation': shown(requests / generations, 2),
    'signed in': isSignedIn ? 'yes' : 'no',
    'median wait ms': shown(median(waits)),
    'worst ms': shown(Math.max(...waits)),
    ...(name === 'proper-lockfile' ? {} : { verdict: verdict(isOne) }),
  };
}

const NOTE = `${PROCESSES} processes ask every 5 ms. Tokens of ${LIFETIME_S} s, strict rotation.`;

const TITLES = {
  undisturbed: 'One credential in 8 processes (target: 1 token request for each generation)',
  withStop: 'The same, while one process is stopped in the middle of its refresh (target: as above)',
};

export async function sharedRace(): Promise<Table[]> {
  const redis = await startRedis();
  const names: LockName[] = ['store-file', ...(redis ? (['store-redis'] as const) : []), 'proper-lockfile'];
  try {
    const rows: Row[] = [];
    for (const name of names) rows.push(rowOf(name, await race(name, redis?.socket, undisturbed)));
    const stopped = names.map(async (name) => rowOf(name, await race(name, redis?.socket, withStop)));
    return [
      {
        title: TITLES.undisturbed,
        note: `${NOTE} The wait is that of a call that brings a new token.`,
        rows,
      },
      {
        title: TITLES.withStop,
        note:
          `SIGSTOP when the server has answered and nobody has read it; SIGCONT after ${STOPPED_MS / 1000} s. ` +
          `proper-lockfile with stale: ${STALE_MS}.`,
        rows: await Promise.all(stopped),
      },
    ];
  } finally {
    await redis?.stop();
  }
}
