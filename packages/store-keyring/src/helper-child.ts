import { fork, type ChildProcess } from 'node:child_process';
import { AccessTokenError } from '@unexpired/core';
import type { HelperAnswer, HelperCall, HelperOrder } from './helper-protocol.ts';
import { keyringError } from './keyring.ts';

/** One helper process, and the calls that it was given. */
export interface HelperChild {
  /** Throws where it cannot be asked. */
  call(call: HelperCall, limitMs: number): Promise<unknown>;
  readonly isRunning: boolean;
  /** Since when it has left calls unanswered, also those that nobody waits for any more; undefined: there are none. */
  readonly silentSince: number | undefined;
  /** It ends by itself after what it has begun. */
  release(): void;
  kill(): void;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

function ended(): Error {
  return keyringError('the process that calls it ended, or could not be started; try again.');
}

const MARK = 'UNEXPIRED_KEYRING_HELPER';

/** A packaged program is its own Node: it would start itself as the helper, over and over. */
export function refuseInHelper(): void {
  if (process.env[MARK] === undefined) return;
  throw keyringError('this program was started again in place of its helper process, as a packaged one is.');
}

/** A debugger of this process is none of the helper's: it would take the same port, or wait for somebody. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: options = '', ...rest } = process.env;
  const kept = options.replaceAll(/(?<!\S)"?--inspect\S*(?:\s+[^-\s]\S*)?/g, '');
  return { ...rest, NODE_OPTIONS: kept, [MARK]: '1' };
}

function launch(order: HelperOrder): ChildProcess {
  const isSource = import.meta.url.endsWith('.ts');
  const program = new URL(isSource ? './helper-process.ts' : './helper-process.js', import.meta.url);
  return fork(program, [JSON.stringify(order)], {
    // Sources import sources.
    execArgv: ['--expose-gc', ...(isSource ? ['--conditions=@unexpired/source', '--no-warnings'] : [])],
    env: environment(),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

interface Calls {
  /** Undefined: nobody waits for it any more. */
  take(id: number): Waiting | undefined;
  add(id: number, limitMs: number): Promise<unknown>;
  endAll(): void;
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
    endAll() {
      for (const id of waiting.keys()) take(id)?.reject(ended());
    },
  };
}

/** `onAnswer` is called after each answer. */
export function startHelperChild(order: HelperOrder, onAnswer: () => void): HelperChild {
  const child = launch(order);
  const calls = createCalls(child);
  let unanswered = 0;
  let heardAt = 0;
  let lastId = 0;

  child.on('error', () => calls.endAll());
  child.on('exit', () => calls.endAll());
  child.on('message', (answer: HelperAnswer) => {
    unanswered -= 1;
    heardAt = performance.now();
    const waiting = calls.take(answer.id);
    if ('failure' in answer) waiting?.reject(new AccessTokenError('ERR_STORE_FAILED', answer.failure));
    else waiting?.resolve(answer.result);
    onAnswer();
  });

  return {
    get isRunning() {
      return child.connected;
    },
    get silentSince() {
      return unanswered === 0 ? undefined : heardAt;
    },
    release() {
      if (child.connected) child.disconnect();
    },
    kill: () => void child.kill('SIGKILL'),
    call(call, limitMs) {
      // One that could not be started, for want of file descriptors, has no channel either.
      if (!child.connected) throw ended();
      lastId += 1;
      try {
        // A failure that is told later is an end of the process, which is noticed.
        child.send({ ...call, id: lastId }, () => undefined);
      } catch {
        throw keyringError('the process that calls it could not be asked.');
      }
      if (unanswered === 0) heardAt = performance.now();
      unanswered += 1;
      return calls.add(lastId, limitMs);
    },
  };
}
