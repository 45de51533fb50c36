/** Waits; an abort rejects at once with the signal's reason. */
export function pause(
  ms: number,
  { signal, keepAlive }: { readonly signal: AbortSignal; readonly keepAlive: boolean },
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = (): void => end(() => reject(signal.reason as Error));
    const timer = setTimeout(() => end(resolve), ms);
    if (!keepAlive) timer.unref();
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
