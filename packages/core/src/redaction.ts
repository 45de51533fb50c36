import type { CredentialRecord } from './record.ts';
import { isFilled } from './token-response.ts';

/** What of the tokens must never be shown: they, and what else is a credential by its name. */
export function secretsOf({ tokens }: CredentialRecord): string[] {
  const members = Object.entries(tokens ?? {}) as [string, unknown][];
  return members.flatMap(([name, value]) =>
    /(token|secret)$/i.test(name) && isFilled(value) ? [value] : [],
  );
}

/** As it is, and as a server echoes what came in a URL or a form, or quotes it. */
function echoesOf(secret: string): string[] {
  const form = new URLSearchParams({ '': secret }).toString().slice(1);
  // Half a surrogate pair, which JSON can hold, is an error to encodeURIComponent.
  return [secret, encodeURIComponent(secret.toWellFormed()), form, JSON.stringify(secret).slice(1, -1)];
}

/** A text of a server, or of what a refresh function threw, without the secrets that it may repeat. */
export function redacted(text: string, secrets: readonly (string | undefined)[]): string {
  let safe = text;
  for (const secret of new Set(secrets.flatMap((one) => (one ? echoesOf(one) : [])))) {
    safe = safe.replaceAll(secret, '[redacted]');
  }
  return safe;
}
