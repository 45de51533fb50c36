import type { ChildProcess } from 'node:child_process';
import { AccessTokenError } from '@unexpired/core';
import { launchHelper } from './helper-launch.ts';
import type { HelperAnswer, HelperCall, HelperOrder } from './helper-protocol.ts';
import { keyringError } from './keyring.ts';

export interface HelperTimes {
  /** No call takes longer. Shorter than core waits for a store, so that its error is told. */
  readonly callMs: number;
  /** For so long a person may type a password, while calls fail; then the helper is killed. */
  readonly promptMs: number;
  /** A helper without calls ends after that. */
  readonly idleMs: number;
}

/** One helper process, and the calls that it was given. */
export interface HelperChild {
  /** Throws where it cannot be asked. */
  call(call: HelperCall): Promise<unknown>;
  readonly isRunning: boolean;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

function ended(how: string): Error {
  return keyringError(`the process that calls it ${how}; try again.`);
}

interface Calls {
  /** Undefined: nobody waits for it any more. */
  take(id: number): Waiting | undefined;
  add(id: number, limitMs: number): Promise<unknown>;
  endAll(how: string): void;
}

/** The calls that somebody waits for: only they keep this process from ending. */
function createCalls(child: ChildProcess): Calls {
  const waiting = new Map<number, Waiting>();

  function keepAlive(): void {
    const method = waiting.size > 0 ? 'ref' : 'unref';
    child[method]();
    child.channel?.[method]();
  }

  function take(id: number): Waiting | undefined {
    const one = waiting.get(id);
    waiting.delete(id);
    keepAlive();
    return one;
  }

  keepAlive();
  return {
    take,
    add(id, limitMs) {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const timer = setTimeout(() => {
        const advice = 'It may be locked and ask for its password: unlock it and try again.';
        take(id)?.reject(keyringError(`it did not answer within ${limitMs} ms. ${advice}`));
      }, limitMs);
      waiting.set(id, { resolve, reject });
      keepAlive();
      return promise.finally(() => clearTimeout(timer));
    },
    endAll(how) {
      for (const id of waiting.keys()) take(id)?.reject(ended(how));
    },
  };
}

interface Rest {
  /** From now on it has calls to answer, also such as nobody waits for any more, or has none. */
  restart(hasCalls: boolean): void;
}

/** Ends a helper that is not called, and one that does not answer: it may hold locks that others wait for. */
function createRest(child: ChildProcess, { promptMs, idleMs }: HelperTimes): Rest {
  let timer: NodeJS.Timeout | undefined;

  function release(): void {
    child.stdin?.destroy();
    if (child.connected) child.disconnect();
  }

  function kill(): void {
    child.kill('SIGKILL');
    release();
  }

  return {
    restart(hasCalls) {
      clearTimeout(timer);
      timer = setTimeout(hasCalls ? kill : release, hasCalls ? promptMs : idleMs).unref();
    },
  };
}

export function startHelperChild(program: URL, order: HelperOrder, times: HelperTimes): HelperChild {
  const child = launchHelper(program, order);
  const calls = createCalls(child);
  const rest = createRest(child, times);
  let unanswered = 0;
  let lastId = 0;

  child.on('error', () => calls.endAll('could not be started'));
  child.on('exit', (code, signal) => calls.endAll(`ended (${signal ?? `exit code ${code}`})`));
  child.on('message', (answer: HelperAnswer) => {
    unanswered -= 1;
    rest.restart(unanswered > 0);
    const waiting = calls.take(answer.id);
    if ('failure' in answer) waiting?.reject(new AccessTokenError('ERR_STORE_FAILED', answer.failure));
    else waiting?.resolve(answer.result);
  });

  return {
    get isRunning() {
      return child.connected;
    },
    call(call) {
      // For want of file descriptors, say: then it has no channel either.
      if (!child.connected) throw ended('could not be started');
      lastId += 1;
      try {
        // A failure that is told later is an end of the process, which is noticed.
        child.send({ ...call, id: lastId, until: Date.now() + times.callMs }, () => undefined);
      } catch {
        throw keyringError('the process that calls it could not be asked.');
      }
      if (unanswered === 0) rest.restart(true);
      unanswered += 1;
      return calls.add(lastId, times.callMs);
    },
  };
}
