/**
 * Hides properties of an HTTP client's error from inspection and JSON. They stay reachable, and what is assigned anew
 * shows again.
 */
export function conceal(target: object, ...names: readonly string[]): void {
  for (const name of names) {
    if (!Object.hasOwn(target, name)) continue;
    const value: unknown = target[name as keyof typeof target];
    const show = (assigned: unknown): void => {
      if (assigned === value) return;
      Object.defineProperty(target, name, { value: assigned, enumerable: true, writable: true });
    };
    Object.defineProperty(target, name, {
      get: () => value,
      set: show,
      enumerable: false,
      configurable: true,
    });
  }
}
