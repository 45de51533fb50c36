/** oauth4webapi speaks https alone: `routeFetch` leads from there to loopback. */
export const ISSUER = 'https://id.example.test';

/** Lets `fetch` reach the provider at its https address. */
export function routeFetch(origin: string): void {
  const bareFetch = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!url.startsWith(`${ISSUER}/`)) return bareFetch(input, init);
    const headers = new Headers(init?.headers);
    headers.set('X-Forwarded-Proto', 'https');
    headers.set('X-Forwarded-Host', new URL(ISSUER).host);
    return bareFetch(url.replace(ISSUER, origin), { ...init, headers });
  };
}
