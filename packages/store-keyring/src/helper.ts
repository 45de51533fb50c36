import { startHelperChild, type HelperChild, type HelperTimes } from './helper-child.ts';
import { findHelper } from './helper-launch.ts';
import type { HelperCall, HelperOrder } from './helper-protocol.ts';

/**
 * A process of our own in which the keyring is called. The calls of the native module cannot be taken back: one that
 * waits for a password would keep this process from ending, even by `process.exit()`, and connecting to a keyring that
 * hangs would halt its event loop.
 */
export interface Helper {
  call(call: HelperCall): Promise<unknown>;
}

const TIMES: HelperTimes = { callMs: 8000, promptMs: 60_000, idleMs: 10_000 };

/** @throws AccessTokenError in a program that was bundled or packaged */
export function createHelper(order: HelperOrder, times: HelperTimes = TIMES): Helper {
  const program = findHelper();
  let child: HelperChild | undefined;
  return {
    async call(call) {
      if (child?.isRunning !== true) child = startHelperChild(program, order, times);
      return child.call(call);
    },
  };
}
