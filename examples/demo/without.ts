import type { TokenResponse } from '@unexpired/core';
import axios from 'axios';
import { createAuthRefresh } from 'axios-auth-refresh';
import type { Clients, Place } from './clients.ts';

/** axios and fetch with the recipes that most programs use, over one set of tokens, as in localStorage. */
export function connect({ issuer, clientId }: Place, first: TokenResponse): Clients {
  let tokens = first;
  let refreshing: Promise<void> | undefined;

  const bearer = (): string => `Bearer ${tokens.access_token}`;

  async function refreshOnce(): Promise<void> {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId });
    form.set('refresh_token', tokens.refresh_token!);
    const { data } = await axios.post<TokenResponse>(`${issuer}/token`, form);
    tokens = data;
  }

  // The careful form: both clients share a refresh that is under way. Without this the provider ends the session at
  // the first expiry, because each client spends the same refresh token.
  function refresh(): Promise<void> {
    refreshing ??= refreshOnce().finally(() => (refreshing = undefined));
    return refreshing;
  }

  // axios: as the README of axios-auth-refresh says, with its defaults.
  const client = axios.create();
  client.interceptors.request.use((request) => {
    request.headers['Authorization'] = bearer();
    return request;
  });
  // (Its types know the CommonJS axios only.)
  createAuthRefresh(client as never, async (failedRequest) => {
    await refresh();
    failedRequest.response.config.headers['Authorization'] = bearer();
  });

  // fetch: the wrapper of many answers and posts.
  const fetchWithRefresh: Clients['fetch'] = async (input, init) => {
    const send = (): Promise<Response> =>
      fetch(input, { ...init, headers: { ...(init?.headers as object), authorization: bearer() } });
    const response = await send();
    if (response.status !== 401) return response;
    await refresh();
    return send();
  };

  return {
    axios: client,
    fetch: fetchWithRefresh,
    signIn: async (next) => void (tokens = next),
    close: async () => undefined,
  };
}
