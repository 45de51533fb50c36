import { refuseInHelper, startHelperChild, type HelperChild } from './helper-child.ts';
import type { HelperCall, HelperOrder } from './helper-protocol.ts';

/**
 * A process of our own in which the keyring is called. The calls of the native module cannot be taken back: one that
 * waits for a password would keep this process from ending, even by `process.exit()`, and connecting to a keyring that
 * hangs would halt its event loop.
 */
export interface Helper {
  call(call: HelperCall): Promise<unknown>;
}

export interface HelperTimes {
  /** No call takes longer. Shorter than core waits for a store, so that its error is told. */
  readonly callMs: number;
  /** For so long a person may type a password, while calls fail; then the helper is replaced. */
  readonly promptMs: number;
  /** A helper without calls ends after that. */
  readonly idleMs: number;
}

const TIMES: HelperTimes = { callMs: 8000, promptMs: 60_000, idleMs: 10_000 };

export function createHelper(order: HelperOrder, times: HelperTimes = TIMES): Helper {
  refuseInHelper();
  let child: HelperChild | undefined;
  let idle: NodeJS.Timeout | undefined;

  function rest(): void {
    clearTimeout(idle);
    if (child?.silentSince !== undefined) return;
    idle = setTimeout(() => {
      child?.release();
      child = undefined;
    }, times.idleMs).unref();
  }

  function ready(): HelperChild {
    clearTimeout(idle);
    const silentSince = child?.silentSince ?? Infinity;
    const hangs = performance.now() - silentSince > times.promptMs;
    if (hangs) child?.kill();
    if (child?.isRunning !== true || hangs) child = startHelperChild(order, rest);
    return child;
  }

  return { call: async (call) => ready().call(call, times.callMs) };
}
