import { invalidOption } from './options.ts';

/** Where a URL leads, as scheme, host and port; undefined where it cannot be told. Relative URLs count from `location`. */
export function originOf(url: string | URL): string | undefined {
  const base = (globalThis as { location?: { href?: string } }).location?.href;
  // Not by `URL.canParse`, which refuses names such as `bücher.example` on Node 22 once it is compiled.
  const origin = URL.parse(url, base)?.origin;
  return origin === 'null' ? undefined : origin;
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

const PLACE = /^(https?:\/\/[^/]*|[a-z\d-]{1,40}(\.[a-z\d-]{1,40})+(:\d+)?\/?|localhost(:\d+)?\/?|\*)$/;

/** What is no origin may be a secret: a user, a query, or all of it where it does not read as a place. */
function shown(text: string): string {
  const place = text.replaceAll(/.*@|[?#].*/gs, '');
  if (PLACE.test(place)) return `'${place}'`;
  return text === '' ? 'an empty string' : 'a string';
}

function checkOrigin(value: unknown, allowHttp: boolean): string {
  const text = value instanceof URL ? value.href : value;
  if (typeof text !== 'string') throw invalidOption('origins', 'a list of strings or URLs', value);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new TypeError(
      `\`origins\` must hold exact origins such as 'https://api.example.com', got ${shown(text)}`,
    );
  }
  const { protocol, hostname, host, origin } = url;
  if (!/^https?:$/.test(protocol) || hostname.includes('*')) {
    const got = host === '' ? shown(text) : `'${protocol}//${host}'`;
    throw new TypeError(`\`origins\` must hold exact http or https origins, got ${got}`);
  }
  if (url.username !== '' || url.pathname !== '/' || /[?#@]/.test(text)) {
    throw new TypeError(`\`origins\` must hold origins without a path, query or user: write '${origin}'`);
  }
  if (protocol === 'http:' && !allowHttp && !isLoopback(hostname)) {
    throw new TypeError(
      `\`origins\` must be https outside of loopback, got '${origin}': write 'https://${host}', or set \`allowHttp: true\``,
    );
  }
  return origin;
}

/** The option `origins` as a set of serialized origins; throws a TypeError that prints the right value. */
export function checkOrigins(origins: unknown, allowHttp = false): ReadonlySet<string> {
  if (!Array.isArray(origins) || origins.length === 0) {
    throw invalidOption('origins', 'a list of at least one origin that may see the access token', origins);
  }
  return new Set(origins.map((origin) => checkOrigin(origin, allowHttp)));
}

/** The listed origin that the URL belongs to. Most URLs need no parser: up to the path, they are the origin. */
export function listedOrigin(origins: ReadonlySet<string>, url: string | URL): string | undefined {
  if (typeof url === 'string') {
    const path = url.indexOf('/', 'https://'.length);
    const head = path < 0 ? url : url.slice(0, path);
    if (origins.has(head)) return head;
  }
  const origin = originOf(url);
  return origin !== undefined && origins.has(origin) ? origin : undefined;
}
