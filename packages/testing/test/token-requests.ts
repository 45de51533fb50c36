import type { AuthorizationServer } from '@unexpired/testing';

export interface TokenAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The members of the JSON body, as strings where they are tokens. */
  readonly body: Record<string, unknown> & { access_token: string; refresh_token: string };
}

export function post(
  server: AuthorizationServer,
  parameters: Record<string, string>,
  init: RequestInit = {},
): Promise<Response> {
  return fetch(server.tokenEndpoint, { method: 'POST', body: new URLSearchParams(parameters), ...init });
}

export function postRefresh(server: AuthorizationServer, refreshToken: string): Promise<Response> {
  return post(server, { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'cli' });
}

export async function read(answer: Promise<Response>): Promise<TokenAnswer> {
  const response = await answer;
  const body = (await response.json()) as TokenAnswer['body'];
  return { status: response.status, headers: response.headers, body };
}

/** Presents a refresh token and reads the answer. */
export function refresh(server: AuthorizationServer, refreshToken: string): Promise<TokenAnswer> {
  return read(postRefresh(server, refreshToken));
}
