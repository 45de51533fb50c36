import type { Authorization } from '@unexpired/core';
import type { Dispatcher } from 'undici';

/** An object, a list of names and values in turns, or anything that gives pairs of them. */
type Headers = Dispatcher.DispatchOptions['headers'];

type Visit = (name: string, value: unknown) => void;

function isObject(headers: {}): headers is Record<string, unknown> {
  return !(Symbol.iterator in headers);
}

function each(headers: Headers, visit: Visit): void {
  if (!headers) return;
  if (isObject(headers)) {
    for (const name of Object.keys(headers)) visit(name, headers[name]);
    return;
  }
  const items = [...headers] as readonly unknown[];
  if (Array.isArray(items[0])) {
    for (const [name, value] of items as [string, unknown][]) visit(name, value);
  } else for (let i = 0; i < items.length; i += 2) visit(items[i] as string, items[i + 1]);
}

/** Most names are told apart by their length. */
function isName(name: string, lowerCased: string): boolean {
  return name.length === lowerCased.length && name.toLowerCase() === lowerCased;
}

/** An iterator gives its headers once, and they are read more often than that. */
export function withHeadersKept(opts: Dispatcher.DispatchOptions): Dispatcher.DispatchOptions {
  const { headers } = opts as { readonly headers?: (Iterable<unknown> & { next?: unknown }) | null };
  if (typeof headers?.next !== 'function') return opts;
  return { ...opts, headers: new Set(headers) as NonNullable<Headers> };
}

/** What there is to know of the caller's headers. */
export function seen(headers: Headers): { hasAuthorization: boolean; contentLength: number | undefined } {
  const found = { hasAuthorization: false, contentLength: undefined as number | undefined };
  each(headers, (name, value) => {
    if (isName(name, 'authorization')) found.hasAuthorization = true;
    else if (isName(name, 'content-length')) found.contentLength = Number(value);
  });
  return found;
}

/** A copy in which the authorization stands alone, without the names in `dropped`. */
export function withAuthorization(
  headers: Headers,
  { headers: own, customHeader }: Authorization,
  ...dropped: string[]
): Headers {
  const gone = ['authorization', ...dropped];
  if (customHeader !== undefined) gone.push(customHeader.toLowerCase());
  const isGone = (name: string): boolean => gone.some((each) => isName(name, each));
  if (!headers || isObject(headers)) {
    const copy: Record<string, unknown> = { ...headers };
    for (const name of Object.keys(copy)) if (isGone(name)) delete copy[name];
    return Object.assign(copy, own) as Headers;
  }
  const flat: unknown[] = Object.entries(own).flat();
  each(headers, (name, value) => {
    if (!isGone(name)) flat.push(name, value);
  });
  return flat as Headers;
}
