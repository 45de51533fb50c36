import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { shownOf } from './shown.ts';
import type { World } from './world.ts';

/** Secrets that nothing may show, each unlike anything else in the process. */
export interface Canaries {
  /** For a header: visible characters that a URL and base64 treat in their own ways. */
  readonly plant: (name: string) => string;
  /** For a form: with what JSON, URLs and forms escape, too. */
  readonly plantText: (name: string) => string;
  /** With a subject and a secret of its own. */
  readonly plantIdToken: (name: string, subject: string) => string;
  /** The names of the secrets of which a half or more, in whatever form, shows in any of these values. */
  readonly found: (...values: readonly unknown[]) => string[];
}

const random = (): string => randomBytes(8).toString('hex');

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const formOf = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);

function halvesOf(text: string): string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}

/** Base64 wherever the text may begin in what was encoded, without the characters that depend on its neighbours. */
function base64Of(text: string): string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    const inner = (coding: 'base64' | 'base64url'): string =>
      bytes
        .toString(coding)
        .replaceAll('=', '')
        .slice(Math.ceil((before * 8) / 6), -1);
    return [inner('base64'), inner('base64url')];
  });
}

/** What gives a secret away: half of it, as it is or as others write it. */
function tracesOf(secret: string): string[] {
  const written = [secret, encodeURIComponent(secret), formOf(secret)];
  const escaped = [JSON.stringify(secret), JSON.stringify(JSON.stringify(secret)), inspect(secret)];
  const bytes = Buffer.from(secret);
  return [
    ...written.flatMap(halvesOf),
    ...escaped.flatMap((text) => halvesOf(text.replaceAll(/^\W+|\W+$/g, ''))),
    ...written.flatMap(base64Of).flatMap(halvesOf),
    ...[bytes.toString('hex'), bytes.join(), bytes.join(', ')].flatMap(halvesOf),
  ];
}

export function createCanaries(): Canaries {
  const traces = new Map<string, string[]>();
  const remember = (name: string, secret: string): string => {
    traces.set(name, [...new Set(tracesOf(secret))]);
    return secret;
  };
  return {
    plant: (name) => remember(name, `${random()}/+~${random()}`),
    plantText: (name) => remember(name, `${random()}"/+ \\%${random()}`),
    plantIdToken(name, subject) {
      const claims = encoded({ jti: random(), sub: subject });
      return remember(name, `${encoded({ kid: random() })}.${claims}.${random()}`);
    },
    found(...values) {
      const text = shownOf(values);
      const names = [...traces.keys()];
      return names.filter((name) => traces.get(name)!.some((trace) => text.includes(trace)));
    },
  };
}

/** The tokens of a world that show in any of these values, in whatever form. */
export function tokensIn({ authorization, first }: World, ...values: readonly unknown[]): string[] {
  const issued = authorization.exchanges.flatMap((exchange) => exchange.issued ?? []);
  const secrets = [first, ...issued].flatMap((each) => [each.access_token, each.refresh_token ?? []].flat());
  const text = shownOf(values);
  return secrets.filter((secret) => tracesOf(secret).some((trace) => text.includes(trace)));
}
