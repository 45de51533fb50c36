/** What an adapter put its own function around, and for which source. */
export interface Wrapping {
  readonly tokens: unknown;
  readonly inner: unknown;
}

const WRAPPING = Symbol('unexpired.wrapping');

/** Notes on a function of an adapter what it wraps. Not in a WeakMap: one entry for each request keeps collectors busy. */
export function markWrapper<F extends object>(wrapper: F, wrapping: Wrapping): F {
  return Object.defineProperty(wrapper, WRAPPING, { value: wrapping });
}

export function wrappingOf(wrapper: unknown): Wrapping | undefined {
  return (wrapper as { [WRAPPING]?: Wrapping } | undefined)?.[WRAPPING];
}

/** Whether an adapter of these tokens is in the way already: one that is attached twice sends once. */
export function isWrapped(outer: unknown, tokens: unknown): boolean {
  const wrapping = wrappingOf(outer);
  return wrapping !== undefined && (wrapping.tokens === tokens || isWrapped(wrapping.inner, tokens));
}
