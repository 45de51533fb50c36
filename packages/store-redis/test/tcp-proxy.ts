import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between a client and Redis, as a network does. */
export interface TcpProxy {
  readonly url: string;
  /** Nothing passes any more in the given direction, and no connection ends. */
  hold(direction: 'to-redis' | 'from-redis' | 'both'): void;
  /** What was held goes on its way. */
  release(): void;
  /** Ends all connections, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function startProxy(port: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [near: Socket, far: Socket]>();
  let isCut = false;
  let held: readonly Socket[] = [];
  const server = createServer((near) => {
    if (isCut) return void near.resetAndDestroy();
    const far = connect(port, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        for (const one of pair) one.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold(direction) {
      const chosen = [...pairs].flatMap(([near, far]) =>
        direction === 'both' ? [near, far] : [direction === 'to-redis' ? near : far],
      );
      for (const socket of chosen) socket.unpipe();
      for (const socket of chosen) socket.pause();
      held = chosen;
    },
    release() {
      for (const [near, far] of pairs) {
        if (held.includes(near)) near.pipe(far);
        if (held.includes(far)) far.pipe(near);
      }
      held = [];
    },
    cut() {
      isCut = true;
      end();
    },
    mend() {
      isCut = false;
    },
    async close() {
      end();
      server.close();
      await once(server, 'close');
    },
  };
}
