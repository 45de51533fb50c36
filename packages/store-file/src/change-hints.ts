import { existsSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Hints that a file changed, from one watch of its directory for all who listen. */
export interface ChangeHints {
  /** Returns what ends it. */
  listen(onChange: () => void): () => void;
  /** Watches again where that failed or ended. */
  renew(): void;
}

/** One write makes several events. */
const DEBOUNCE_MS = 10;

/** Where something will show when the file appears: its directory, or what its directory will be made in. */
function placeToWatch(path: string): { readonly directory: string; readonly name: string } {
  const directory = dirname(path);
  if (directory === path || existsSync(directory)) return { directory, name: basename(path) };
  return placeToWatch(directory);
}

export function createChangeHints(path: string): ChangeHints {
  const listeners = new Set<{ readonly onChange: () => void }>();
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;

  function stop(): void {
    watcher?.close();
    watcher = undefined;
  }

  function tell(): void {
    timer = undefined;
    for (const { onChange } of listeners) onChange();
  }

  function renew(): void {
    if (watcher !== undefined || listeners.size === 0) return;
    const { directory, name } = placeToWatch(path);
    const onEvent = (_: string, changed: string | null): void => {
      const isGone = changed === basename(directory);
      if (changed !== null && changed !== name && !isGone) return;
      // The next directory on the way to the file was made, or this one was moved or removed.
      if (isGone || directory !== dirname(path)) {
        stop();
        renew();
      }
      timer ??= setTimeout(tell, DEBOUNCE_MS).unref();
    };
    try {
      watcher = watch(directory, { persistent: false }, onEvent).on('error', stop);
    } catch {
      // No watches left, or no right to: hints are never relied on.
    }
  }

  return {
    renew,
    listen(onChange) {
      const listener = { onChange };
      listeners.add(listener);
      renew();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
  };
}
