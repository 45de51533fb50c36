import type { Authorization } from '@unexpired/core';
import type { Dispatcher } from 'undici';

/** An object, a list of names and values in turns, or anything that gives pairs of them. */
type Headers = Dispatcher.DispatchOptions['headers'];

/** In the one form that interceptors and proxies all read alike. What is no headers stays: undici says so. */
function fieldsOf(headers: Headers): Record<string, unknown> {
  const given = (headers ?? {}) as Record<string, unknown>;
  if (typeof given !== 'object' || !(Symbol.iterator in given)) return given;
  const items = [...(headers as Iterable<unknown>)];
  const flat = Array.isArray(items[0]) ? items.flat() : items;
  const fields = Object.create(null) as Record<string, unknown>;
  for (let i = 0; i < flat.length; i += 2) {
    const [name, value] = [flat[i] as string, flat[i + 1]];
    fields[name] = name in fields ? [fields[name] ?? [], value ?? []].flat() : value;
  }
  return fields;
}

/** Most names are told apart by their length. */
function isName(name: string, lowerCased: string): boolean {
  return name.length === lowerCased.length && name.toLowerCase() === lowerCased;
}

/** An iterator gives its headers once, and they are read more often than that. */
export function withHeadersKept(opts: Dispatcher.DispatchOptions): Dispatcher.DispatchOptions {
  const { headers } = opts as { readonly headers?: { readonly next?: unknown } | null };
  if (typeof headers?.next !== 'function') return opts;
  return { ...opts, headers: fieldsOf(opts.headers) as NonNullable<Headers> };
}

/** What there is to know of the caller's headers. */
export function seen(headers: Headers): { hasAuthorization: boolean; contentLength: number | undefined } {
  const found = { hasAuthorization: false, contentLength: undefined as number | undefined };
  const fields = fieldsOf(headers);
  for (const name of Object.keys(fields)) {
    if (isName(name, 'authorization')) found.hasAuthorization = true;
    else if (isName(name, 'content-length')) found.contentLength = Number(fields[name]);
  }
  return found;
}

/** A copy in which the authorization stands alone, without `dropped`. */
export function withAuthorization(
  headers: Headers,
  { headers: own, customHeader }: Authorization,
  dropped: string,
): Headers {
  const fields = fieldsOf(headers);
  if (typeof fields !== 'object') return headers;
  const gone = ['authorization', customHeader?.toLowerCase() ?? '', dropped];
  const copy = { ...fields };
  for (const name of Object.keys(copy)) if (gone.some((each) => isName(name, each))) delete copy[name];
  return Object.assign(copy, own) as Headers;
}
