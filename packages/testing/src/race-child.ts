// The program of one process of a race; startRace forks it.
import { flushCompileCache } from 'node:module';
import { createTokenSource, type CredentialRecord, type TokenSource, type TokenStore } from '@unexpired/core';
import { API, createAsker, getAccessToken, refuse, type Asker } from './race-asking.ts';
import { createPoints, watchRefresh, watchStore } from './race-points.ts';
import type { Command, FromProcess, RaceFailure, RaceOrder, ToProcess } from './race-protocol.ts';

interface Runner {
  readonly order: RaceOrder;
  readonly store: TokenStore;
  readonly source: TokenSource;
  readonly asker: Asker;
}

function tell(message: FromProcess): void {
  // The race may be over.
  if (process.connected) process.send!(message);
}

function failureOf(error: unknown): RaceFailure {
  const { code, message } = error as { code?: string; message?: string };
  return { code, message: message ?? String(error) };
}

async function openStore({ store }: RaceOrder): Promise<TokenStore> {
  const module = (await import(store.module)) as Record<
    string,
    (options: unknown) => TokenStore | Promise<TokenStore>
  >;
  return module[store.export]!(store.options);
}

async function revokeAt(endpoint: string | undefined, token: string | undefined): Promise<void> {
  if (endpoint === undefined || token === undefined) return;
  await fetch(endpoint, { method: 'POST', body: new URLSearchParams({ token }) });
}

const points = createPoints((point, held) => tell({ type: 'point', point, held }));

async function start(order: RaceOrder): Promise<Runner> {
  const store = await openStore(order);
  const source = createTokenSource({
    ...order.source,
    origins: [API],
    refresh: watchRefresh(order, points),
    store: watchStore(store, points, order.unlocked),
    account: order.account,
    revoke: (tokens) => revokeAt(order.revocationEndpoint, tokens.refresh_token),
    onEvent: ({ type }) => tell({ type: 'event', event: type }),
  });
  const asker = createAsker(source, order.callers, {
    onToken: (token) => tell({ type: 'token', token }),
    onFailure: (error) => tell({ type: 'failure', failure: failureOf(error) }),
  });
  return { order, store, source, asker };
}

const commands: Record<Command, (runner: Runner, argument: unknown) => unknown> = {
  getAccessToken: ({ source, order }) => getAccessToken(source, order.callers),
  async refuse({ source, order, asker }) {
    // A new token that is refused before the last one's replay was settled would close the gate of the origin.
    await asker.rest();
    return refuse(source, order.callers);
  },
  signIn: ({ source }, argument) => source.signIn(argument as Parameters<TokenSource['signIn']>[0]),
  signOut: ({ source }) => source.signOut(),
  read: ({ store, order }) => store.read(order.account),
  write({ store, order }, argument) {
    const { record, expected } = argument as { record: CredentialRecord; expected?: number };
    return store.write(order.account, record, expected);
  },
  async close({ source, asker }) {
    asker.ask(undefined);
    await asker.rest();
    await source.close();
  },
  async getAccessTokenAndExit({ source }) {
    await source.getAccessToken();
    process.exit(0);
  },
};

async function obey({ id, command, argument }: Extract<ToProcess, { type: 'do' }>): Promise<void> {
  try {
    const value = await commands[command](await running.promise, argument);
    tell({ type: 'done', id, value });
  } catch (error) {
    tell({ type: 'undone', id, failure: failureOf(error) });
  }
  if (command !== 'close') return;
  // From here on nothing but what the store left open can keep the process alive.
  leaving = true;
  process.disconnect();
}

let leaving = false;
const running = Promise.withResolvers<Runner>();

process.on('message', (message: ToProcess) => {
  switch (message.type) {
    case 'start':
      running.resolve(start(message.order));
      void running.promise.then(() => {
        // At its exit would be too late: most are killed.
        flushCompileCache();
        tell({ type: 'ready' });
      });
      break;
    case 'ask':
      void running.promise.then(({ asker }) => asker.ask(message.asking));
      break;
    case 'hold':
      points.hold(message.point);
      break;
    case 'release':
      points.release(message.point);
      break;
    case 'do':
      void obey(message);
  }
});

// Processes of a race die with the one that started them.
process.on('disconnect', () => {
  if (!leaving) process.exit(0);
});
