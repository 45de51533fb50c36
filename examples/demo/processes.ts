import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { makeFolder } from '../processes.ts';
import type { OpenCallers } from './callers.ts';
import { CLIENTS, type ClientName } from './clients.ts';
import type { Answer, Order } from './process.ts';
import type { Outcome, Send, Senders } from './requests.ts';

/** A process with the four clients. */
interface Worker {
  /** Rejects where the process ends before it answers. */
  readonly tell: (order: Order) => Promise<Outcome | undefined>;
  readonly close: () => Promise<void>;
}

function startWorker(): Worker {
  const child: ChildProcess = fork(new URL('process.ts', import.meta.url), {
    execArgv: ['--conditions=@unexpired/source'],
  });
  const ended = once(child, 'exit');
  const waiting = new Map<number, PromiseWithResolvers<Outcome | undefined>>();
  let count = 0;
  child.on('message', ({ id, outcome }: Answer) => {
    waiting.get(id)!.resolve(outcome);
    waiting.delete(id);
  });
  child.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`A process of the demo ended with ${code}`));
  });
  return {
    tell(order) {
      const answered = Promise.withResolvers<Outcome | undefined>();
      waiting.set((count += 1), answered);
      child.send({ id: count, order });
      return answered.promise;
    },
    async close() {
      child.disconnect();
      const [code] = (await ended) as [number | null];
      if (code !== 0) throw new Error(`A process of the demo ended with ${code}`);
    },
  };
}

/** Each client's calls go round all processes. */
function sendersIn(workers: readonly Worker[], isFixed: boolean): Senders {
  function sendThrough(client: ClientName): Send {
    let turn = 0;
    return async (url, body) => {
      const worker = workers[(turn += 1) % workers.length]!;
      const upload = body && { kind: body.kind, seed: body.seed };
      return (await worker.tell({ name: 'send', client, isFixed, url, upload }))!;
    };
  }
  return Object.fromEntries(CLIENTS.map((client) => [client, sendThrough(client)])) as unknown as Senders;
}

/** So many processes, each with the four clients, that share the sign-in through a credentials file. */
export function callersInProcesses(count: number): OpenCallers {
  return async ({ issuer, clientId, api }, staticToken) => {
    const folder = await makeFolder();
    const place = { issuer, clientId, api };
    const path = join(folder.path, 'credentials.json');
    const workers = Array.from({ length: count }, startWorker);
    await Promise.all(workers.map(({ tell }) => tell({ name: 'open', place, path, staticToken })));
    return {
      senders: sendersIn(workers, false),
      fixed: sendersIn(workers, true),
      // By one of them, as ever; the others find it in the file.
      signIn: async (tokens) => void (await workers[0]!.tell({ name: 'signIn', tokens })),
      async close() {
        await Promise.all(workers.map(({ close }) => close()));
        await folder[Symbol.asyncDispose]();
      },
    };
  };
}
