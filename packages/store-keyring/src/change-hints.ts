import { mkdirSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Hints that a file was touched, from one watch for all who listen. */
export interface ChangeHints {
  /** Returns what ends it. */
  listen(onChange: () => void): () => void;
}

export function createChangeHints(path: string): ChangeHints {
  const listeners = new Set<{ readonly onChange: () => void }>();
  let watcher: FSWatcher | undefined;

  function start(): void {
    const onEvent = (_: string, name: string | null): void => {
      if (name !== null && name !== basename(path)) return;
      for (const { onChange } of listeners) onChange();
    };
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      watcher ??= watch(dirname(path), { persistent: false }, onEvent).on('error', stop);
    } catch {
      // No watches left, or no right to: hints are never relied on.
    }
  }

  function stop(): void {
    watcher?.close();
    watcher = undefined;
  }

  return {
    listen(onChange) {
      const listener = { onChange };
      listeners.add(listener);
      start();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
  };
}
