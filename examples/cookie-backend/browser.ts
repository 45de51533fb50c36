export interface Browser {
  /** Name and value of each cookie, and what else its header said. */
  readonly cookies: ReadonlyMap<string, string>;
}

/** Makes this process a browser that shows a page of `origin`: a location, and a fetch that keeps cookies. */
export function openBrowser(origin: string): Browser {
  const cookies = new Map<string, string>();
  const bareFetch = globalThis.fetch;
  Object.defineProperty(globalThis, 'location', { value: new URL(origin) });
  globalThis.fetch = async (input, init) => {
    if (input instanceof Request) return bareFetch(input, init);
    const url = new URL(input, origin);
    if (url.origin !== origin) return bareFetch(url, init);
    const headers = new Headers(init?.headers);
    const pairs = [...cookies.values()].map((cookie) => cookie.split(';', 1)[0]);
    if (pairs.length > 0) headers.set('Cookie', pairs.join('; '));
    const response = await bareFetch(url, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) cookies.set(cookie.split('=', 1)[0]!, cookie);
    return response;
  };
  return { cookies };
}
