import type { Clock } from './clock.ts';
import { AccessTokenError } from './errors.ts';

/** How one caller waits. */
export interface Patience {
  readonly clock: Clock;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * This caller's wait for something shared: its abort or deadline ends the wait, at once and for nobody else. Its timer
 * is what keeps the process alive meanwhile; nothing else of this library does.
 */
export function waitFor<T>(shared: Promise<T>, { clock, waitMs, signal }: Patience): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const stop = (): void => {
      cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      stop();
      reject(signal!.reason as Error);
    };
    const onExpiry = (): void => {
      stop();
      const text = `No access token within ${waitMs} ms; the refresh goes on. Try again, or raise \`limits.waitMs\`.`;
      reject(new AccessTokenError('ERR_WAIT_TIMEOUT', text));
    };
    const cancel = clock.setTimer(onExpiry, waitMs, true);
    signal?.addEventListener('abort', onAbort, { once: true });
    shared.then(
      (value) => (stop(), resolve(value)),
      (error: unknown) => (stop(), reject(error as Error)),
    );
  });
}

/** `value`, or the signal's reason as soon as it aborts. */
export async function unlessAborted<T>(value: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined || !(value instanceof Promise)) return value;
  let leave = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
  });
  if (signal.aborted) leave();
  try {
    // Both are handled, whichever is first.
    return await Promise.race([aborted, value]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
