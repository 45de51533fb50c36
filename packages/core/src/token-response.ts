/** A token response with the wire names of RFC 6749, section 5.1. Members it does not name are kept. */
export interface TokenResponse {
  access_token?: string | undefined;
  refresh_token?: string | undefined;
  token_type?: string | undefined;
  scope?: string | undefined;
  /** Seconds, counted from when the request was sent. A numeric string is read as a number. */
  expires_in?: number | string | undefined;
  /** Epoch seconds; counts where `expires_in` is missing. */
  expires_at?: number | string | undefined;
  /** Seconds after which the server wants a refresh, as Microsoft Entra sends it. */
  refresh_in?: number | string | undefined;
  id_token?: string | undefined;
  [member: string]: unknown;
}

/** What is kept of token responses: the members that outlive one answer, under their wire names. */
export interface TokenSet {
  readonly access_token?: string | undefined;
  readonly refresh_token?: string | undefined;
  readonly token_type?: string | undefined;
  readonly scope?: string | undefined;
  readonly [member: string]: unknown;
}

const LONGEST_MS = 400 * 24 * 3_600_000;

/** RFC 6749, appendix A.12: visible characters. Anything else cannot be sent in a header. */
export function isAccessToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]+$/.test(value);
}

export function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function finiteNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** Milliseconds of life counted from `sentAt` (epoch ms); undefined where the server does not say. May be negative. */
export function lifetimeOf(response: TokenResponse, sentAt: number): number | undefined {
  const expiresIn = finiteNumber(response.expires_in);
  const expiresAt = finiteNumber(response.expires_at);
  const ms =
    expiresIn !== undefined
      ? expiresIn * 1000
      : expiresAt !== undefined
        ? expiresAt * 1000 - sentAt
        : undefined;
  return ms === undefined ? undefined : Math.min(ms, LONGEST_MS);
}

export function refreshInOf(response: TokenResponse): number | undefined {
  const seconds = finiteNumber(response.refresh_in);
  return seconds === undefined || seconds < 0 ? undefined : Math.min(seconds * 1000, LONGEST_MS);
}

/** What a store cannot write would keep the tokens beside it from being written. */
function isStorable(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}

/** The new members over the old ones; an absent or empty token never replaces one that is there (RFC 6749, section 6). */
export function mergeTokens(old: TokenSet | undefined, response: TokenResponse): TokenSet {
  const { expires_in: _in, expires_at: _at, refresh_in: _refresh, ...members } = response;
  const taken = Object.entries(members).filter(
    ([name, value]) => isStorable(value) && (isFilled(value) || !/^(access|refresh)_token$/.test(name)),
  );
  return Object.freeze({ ...old, ...Object.fromEntries(taken) });
}

/**
 * The subject that an id token in the response names. Its signature is not checked: it came from the token endpoint
 * itself (OpenID Connect Core, section 3.1.3.7, item 6), and it is only compared with the subject known before.
 */
export function subjectOf(response: TokenResponse): string | undefined {
  const payload = isFilled(response.id_token) ? response.id_token.split('.')[1] : undefined;
  if (payload === undefined) return undefined;
  try {
    const text = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const { sub } = JSON.parse(text) as { sub?: unknown };
    return isFilled(sub) ? sub : undefined;
  } catch {
    return undefined;
  }
}
