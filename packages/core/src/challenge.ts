/** One challenge of a WWW-Authenticate header (RFC 9110, section 11.6.1). Names are in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

// A parameter (`name=token`, `name="quoted"`, and the single quotes some servers send), or a word: a scheme or token68.
// A quote that does not end holds all that follows: what a realm says is no challenge.
const PIECE =
  /([\w!#$%&*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)(?:"|\\?$)|'([^']*)'|([^\s,"']+))|([\w!#$%&'*+.^`|~/-]+=*)/g;

export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const text = header.slice(0, 8192);
  for (const match of text.matchAll(PIECE)) {
    const [, name, quoted, single, token, word] = match;
    if (word !== undefined) {
      // A word that no comma leads in is the token68 of the scheme before it.
      const leading = text.slice(0, match.index).trimEnd();
      if (leading !== '' && !leading.endsWith(',')) continue;
      challenges.push({ scheme: word.toLowerCase(), parameters: {} });
    } else if (name !== undefined) {
      const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? single ?? token ?? '';
      const current = challenges.at(-1);
      if (current !== undefined) current.parameters[name.toLowerCase()] ??= value;
    }
  }
  return challenges;
}

/** Errors that another access token of the same grant would not cure (RFC 6750, 9449, 9470; Microsoft's CAE). */
const NOT_ABOUT_THE_TOKEN = new Set([
  'insufficient_scope',
  'insufficient_user_authentication',
  'insufficient_claims',
  'use_dpop_nonce',
  'invalid_dpop_proof',
]);

/** A gateway that asks for these never looked at the token. */
const OF_GATEWAYS = new Set(['basic', 'digest', 'negotiate', 'ntlm']);

/** Whether a 401 says that the access token was refused. Servers that send no challenge, or a bare one, mean it too. */
export function refusesToken(header: string | null | undefined): boolean {
  const challenges = parseChallenges(header ?? '');
  if (challenges.length === 0) return true;
  const errors = challenges.map(({ parameters }) => parameters['error'] ?? '');
  if (errors.includes('invalid_token')) return true;
  return challenges.some(({ scheme }, i) => !OF_GATEWAYS.has(scheme) && !NOT_ABOUT_THE_TOKEN.has(errors[i]!));
}
