// Where a benchmark sends its requests, and what it signs in with there.
import type { TokenResponse } from '@unexpired/core';

export interface Place {
  readonly api: string;
  readonly tokenEndpoint: string;
}

/** Good for ever, for the bare client. */
export const STATIC_TOKEN = 'static';

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

let issued = 0;

/** A token response. The access token is a JWT that nobody signed, since some peers read there when it expires. */
export function tokensFor(seconds: number): TokenResponse & { readonly access_token: string } {
  issued += 1;
  const expiresAt = Math.floor(Date.now() / 1000 + seconds);
  const parts = [encode({ alg: 'none' }), encode({ sub: 'somebody', exp: expiresAt, jti: issued }), 'x'];
  return {
    access_token: parts.join('.'),
    refresh_token: 'rt',
    token_type: 'Bearer',
    expires_in: seconds,
  };
}

/** The refresh grant, as somebody writes it who has no library for it. */
export async function exchange({ tokenEndpoint }: Place, refreshToken = ''): Promise<TokenResponse> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'cli' });
  body.set('refresh_token', refreshToken);
  const response = await fetch(tokenEndpoint, { method: 'POST', body });
  if (!response.ok) throw new Error(`the token endpoint answered ${response.status}`);
  return (await response.json()) as TokenResponse;
}
