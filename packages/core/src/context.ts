interface Storage {
  run<T>(value: unknown, task: () => T): T;
  getStore(): unknown;
}

// Where there is none (browsers), a source that waits for itself is ended by its flight's time limit.
const storage: Storage | undefined = ((): Storage | undefined => {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (id: string) => { AsyncLocalStorage: new () => Storage } | undefined };
  };
  const hooks = process?.getBuiltinModule?.('node:async_hooks');
  return hooks && new hooks.AsyncLocalStorage();
})();

/** Runs what the application supplied (refresh function, store) so that a call back into its own flight is noticed. */
export function runInside<T>(flight: object | undefined, task: () => T): T {
  return storage === undefined ? task() : storage.run(flight, task);
}

export function isInside(flight: object | undefined): boolean {
  return flight !== undefined && storage?.getStore() === flight;
}
