import type { Clock } from './clock.ts';
import { AccessTokenError } from './errors.ts';

/** How one caller waits. */
export interface Patience {
  readonly clock: Clock;
  readonly waitMs: number;
  /** When that time is over, by the monotonic clock. */
  readonly dueAt: number;
  readonly signal: AbortSignal | undefined;
}

/** One caller's time begins now, whatever it will wait for one after the other. */
export function patienceOf(clock: Clock, waitMs: number, signal: AbortSignal | undefined): Patience {
  return { clock, waitMs, dueAt: clock.monotonic() + waitMs, signal };
}

/**
 * This caller's wait for something shared: its abort or deadline ends the wait, at once and for nobody else. Its timer
 * is what keeps the process alive meanwhile; nothing else of this library does.
 */
export function waitFor<T>(shared: Promise<T>, { clock, waitMs, dueAt, signal }: Patience): Promise<T> {
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
    const cancel = clock.setTimer(onExpiry, Math.max(0, dueAt - clock.monotonic()), true);
    signal?.addEventListener('abort', onAbort, { once: true });
    shared.then(
      (value) => (stop(), resolve(value)),
      (error: unknown) => (stop(), reject(error as Error)),
    );
  });
}

/** By shape: a promise may be of another realm. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function';
}

/** `value`, or the signal's reason as soon as it aborts, after `onAbort`. */
export function unlessAborted<T>(
  value: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort = (): void => undefined,
): Promise<T> {
  if (signal === undefined) return value;
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      onAbort();
      reject(signal.reason as Error);
    };
    const stop = (): void => signal.removeEventListener('abort', leave);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    value.then(
      (result) => (stop(), resolve(result)),
      (error: unknown) => (stop(), reject(error as Error)),
    );
  });
}
