import { invalidOption, type Check } from '@unexpired/core';

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const TEXT: Check = [
  'a string that is not empty',
  (value) => typeof value === 'string' && value !== '',
];

function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** Whether secrets may be sent there. */
export function isSafe(url: URL, allowHttp: boolean): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && (allowHttp || isLoopback(url)));
}

/** An option that names a place of the authorization server; throws a TypeError that says what is wrong with it. */
export function checkUrl(name: string, value: unknown, allowHttp: boolean): URL {
  const text = value instanceof URL ? value.href : value;
  const url = typeof text === 'string' ? URL.parse(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw invalidOption(name, 'an absolute https URL', value);
  // RFC 8414, section 2, and RFC 6749, section 3.2.
  if (
    url.username !== '' ||
    url.password !== '' ||
    url.hash !== '' ||
    (name === 'issuer' && url.search !== '')
  ) {
    const parts = name === 'issuer' ? 'user, query or fragment' : 'user or fragment';
    throw new TypeError(`\`${name}\` must be a URL without ${parts}, got one at '${url.origin}'`);
  }
  if (!isSafe(url, allowHttp)) {
    throw new TypeError(
      `\`${name}\` must be https outside of loopback, got '${url.origin}': write 'https://${url.host}', or set \`allowHttp: true\``,
    );
  }
  return url;
}
