import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Asking,
  Command,
  FromProcess,
  RaceFailure,
  RaceOrder,
  RacePoint,
  SeenToken,
  ToProcess,
} from './race-protocol.ts';
import type { CredentialRecord, TokenResponse } from '@unexpired/core';

/** How a process ended. */
export interface RaceExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it printed on standard error. */
  readonly output: string;
}

/** One process of a race. */
export interface RaceProcess {
  readonly name: string;
  readonly pid: number;
  /** The last access token that it told of; undefined before the first. */
  readonly token: SeenToken | undefined;
  /** The points it came to, in order, since the race began. */
  readonly points: readonly RacePoint[];
  /** The point where it waits to be released. */
  readonly heldAt: RacePoint | undefined;
  /** The types of the events of its token source, in order. */
  readonly events: readonly string[];
  /** What its callers were rejected with while it asked by itself. */
  readonly failures: readonly RaceFailure[];
  /** Undefined while it runs. */
  readonly exit: RaceExit | undefined;

  /** From now on it asks by itself; undefined ends that. */
  ask(asking: Asking | undefined): void;
  /** Resolves once its next refresh is at the point, and waits there. */
  hold(point: RacePoint): Promise<void>;
  /** Lets it go on from there, and past it from now on. */
  release(point: RacePoint): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;

  /** Asks once for the access token. Rejects with an error that has the code. */
  getAccessToken(): Promise<SeenToken>;
  /** Reports its access token as refused by an API, once, and gets the one that replaced it. */
  refuse(): Promise<SeenToken>;
  signIn(tokens: TokenResponse): Promise<void>;
  signOut(): Promise<void>;
  /** What its store has, without the token source. */
  read(): Promise<CredentialRecord | undefined>;
  /** Writes to its store, without the token source and outside of the exclusive section. */
  write(record: CredentialRecord, expected: number | undefined): Promise<boolean>;
  /** Closes its token source and resolves when it has exited by itself, with nothing left to do. */
  close(): Promise<RaceExit>;
  /** Asks for the access token and exits the moment it is there. */
  getAccessTokenAndExit(): Promise<RaceExit>;
}

/** What a race is told of its processes. */
export type Listener = (process: RaceProcess, message: FromProcess | { readonly type: 'exit' }) => void;

const isSource = import.meta.url.endsWith('.ts');
const program = new URL(`./race-child.${isSource ? 'ts' : 'js'}`, import.meta.url);

/** The import conditions of this process, and those by which sources find each other. */
function conditions(): string[] {
  const own = process.execArgv.filter((flag) => /^(-C|--conditions)=/.test(flag));
  return isSource ? [...new Set([...own, '--conditions=@unexpired/source'])] : own;
}

interface Line {
  readonly child: ChildProcess;
  readonly pending: Map<number, PromiseWithResolvers<unknown>>;
  readonly ended: Promise<RaceExit>;
}

function failed({ code, message }: RaceFailure): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

function openLine(name: string): Line {
  const child = fork(program, {
    execArgv: conditions(),
    // A process starts in a third of the time when it finds its modules compiled.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const pending: Line['pending'] = new Map();
  let output = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  // Once all that it sent before its end has been read.
  const ended = once(child, 'close').then((): RaceExit => {
    const exit = { code: child.exitCode, signal: child.signalCode, output };
    const why = `Process ${name} has ended (${exit.signal ?? exit.code}). ${output}`;
    for (const { reject } of pending.values()) reject(new Error(why));
    pending.clear();
    return exit;
  });
  return { child, pending, ended };
}

type State = { -readonly [Member in 'token' | 'heldAt' | 'exit']: RaceProcess[Member] } & {
  readonly points: RacePoint[];
  readonly events: string[];
  readonly failures: RaceFailure[];
};

function note(state: State, { pending }: Line, message: FromProcess): void {
  switch (message.type) {
    case 'token':
      state.token = message.token;
      break;
    case 'point':
      state.points.push(message.point);
      if (message.held) state.heldAt = message.point;
      break;
    case 'event':
      state.events.push(message.event);
      break;
    case 'failure':
      state.failures.push(message.failure);
      break;
    case 'done':
      pending.get(message.id)?.resolve(message.value);
      pending.delete(message.id);
      break;
    case 'undone':
      pending.get(message.id)?.reject(failed(message.failure));
      pending.delete(message.id);
      break;
    case 'ready':
  }
}

type Controls = Pick<RaceProcess, 'ask' | 'hold' | 'release' | 'kill' | 'pause' | 'resume'>;

function controlsOf(state: State, line: Line, send: (message: ToProcess) => void): Controls {
  const { child, ended, pending } = line;
  let holds = 0;
  return {
    ask: (asking) => send({ type: 'ask', asking }),
    async hold(point) {
      holds -= 1;
      const there = Promise.withResolvers<unknown>();
      const id = holds;
      pending.set(id, there);
      send({ type: 'hold', point });
      const onMessage = (message: FromProcess): void => {
        if (message.type === 'point' && message.point === point && message.held) there.resolve(undefined);
      };
      child.on('message', onMessage);
      try {
        await there.promise;
      } finally {
        child.off('message', onMessage);
        pending.delete(id);
      }
    },
    release(point) {
      if (state.heldAt === point) state.heldAt = undefined;
      send({ type: 'release', point });
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  };
}

type Calls = Omit<RaceProcess, keyof Controls | keyof State | 'name' | 'pid'>;

function callsOf({ pending, ended }: Line, send: (message: ToProcess) => void): Calls {
  let lastId = 0;
  const tell = async (command: Command, argument?: unknown): Promise<unknown> => {
    lastId += 1;
    const answer = Promise.withResolvers<unknown>();
    pending.set(lastId, answer);
    send({ type: 'do', id: lastId, command, argument });
    return answer.promise;
  };
  return {
    getAccessToken: () => tell('getAccessToken') as Promise<SeenToken>,
    refuse: () => tell('refuse') as Promise<SeenToken>,
    signIn: async (tokens) => void (await tell('signIn', tokens)),
    signOut: async () => void (await tell('signOut')),
    read: () => tell('read') as Promise<CredentialRecord | undefined>,
    write: (record, expected) => tell('write', { record, expected }) as Promise<boolean>,
    async close() {
      await tell('close');
      return ended;
    },
    async getAccessTokenAndExit() {
      // It is rejected by the exit, unless there is no token.
      const [exit] = await Promise.all([ended, tell('getAccessTokenAndExit').catch(() => undefined)]);
      return exit;
    },
  };
}

/** Starts one process; resolves once its store is open. */
export async function startProcess(order: RaceOrder, listener: Listener): Promise<RaceProcess> {
  const { name } = order;
  const line = openLine(name);
  const { child, ended, pending } = line;
  const state: State = {
    token: undefined,
    heldAt: undefined,
    exit: undefined,
    points: [],
    events: [],
    failures: [],
  };
  const send = (message: ToProcess): void => {
    if (child.connected) child.send(message, () => undefined);
    else if (message.type === 'do') pending.get(message.id)?.reject(new Error(`Process ${name} has ended.`));
  };
  const process: RaceProcess = Object.defineProperties(
    { name, pid: child.pid!, ...controlsOf(state, line, send), ...callsOf(line, send) } as RaceProcess,
    Object.fromEntries(
      (['token', 'heldAt', 'exit', 'points', 'events', 'failures'] as const).map((member) => [
        member,
        { enumerable: true, get: () => state[member] },
      ]),
    ),
  );
  const ready = Promise.withResolvers<unknown>();
  pending.set(0, ready);
  child.on('message', (message: FromProcess) => {
    note(state, line, message);
    if (message.type === 'ready') ready.resolve(undefined);
    listener(process, message);
  });
  void ended.then((exit) => {
    state.exit = exit;
    listener(process, { type: 'exit' });
  });
  send({ type: 'start', order });
  await ready.promise;
  pending.delete(0);
  return process;
}
