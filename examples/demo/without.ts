import type { TokenResponse } from '@unexpired/core';
import axios, { type AxiosInstance } from 'axios';
import { createAuthRefresh } from 'axios-auth-refresh';
import got, { type Got } from 'got';
import ky, { type KyInstance } from 'ky';
import type { Clients, Connection, Place } from './clients.ts';

interface Tokens {
  /** The Authorization header. */
  readonly bearer: () => string;
  readonly refresh: () => Promise<void>;
}

/** As the README of axios-auth-refresh says, with its defaults. */
function axiosRecipe({ bearer, refresh }: Tokens): AxiosInstance {
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
  return client;
}

/** As ky's README says, at `beforeRequest` and `afterResponse`. */
function kyRecipe({ bearer, refresh }: Tokens): KyInstance {
  return ky.extend({
    hooks: {
      beforeRequest: [({ request }) => request.headers.set('Authorization', bearer())],
      afterResponse: [
        async ({ request, response, retryCount }) => {
          if (response.status !== 401 || retryCount > 0) return;
          await refresh();
          const headers = new Headers(request.headers);
          headers.set('Authorization', bearer());
          return ky.retry({ request: new Request(request, { headers }), code: 'TOKEN_REFRESHED' });
        },
      ],
    },
  });
}

/** As got's documentation says at `afterResponse`; a hook instead of a default, to see what the others refreshed. */
function gotRecipe({ bearer, refresh }: Tokens): Got {
  return got.extend({
    hooks: {
      beforeRequest: [(options) => void (options.headers['authorization'] = bearer())],
      afterResponse: [
        async (response, retryWithMergedOptions) => {
          if (response.statusCode !== 401) return response;
          await refresh();
          return retryWithMergedOptions({ headers: { authorization: bearer() } });
        },
      ],
    },
  });
}

/** The wrapper of many answers and posts. */
function fetchRecipe({ bearer, refresh }: Tokens): Clients['fetch'] {
  return async (input, init) => {
    const send = (): Promise<Response> =>
      fetch(input, { ...init, headers: { ...(init?.headers as object), authorization: bearer() } });
    const response = await send();
    if (response.status !== 401) return response;
    await refresh();
    return send();
  };
}

/** The recipes that most programs use, over one set of tokens, as in localStorage. */
export function connect({ issuer, clientId }: Place): Connection {
  let current: TokenResponse = {};
  let refreshing: Promise<void> | undefined;

  async function refreshOnce(): Promise<void> {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId });
    form.set('refresh_token', current.refresh_token!);
    const { data } = await axios.post<TokenResponse>(`${issuer}/token`, form);
    current = data;
  }
  const tokens: Tokens = {
    bearer: () => `Bearer ${current.access_token}`,
    // The careful form: all clients share a refresh that is under way. Without this the provider ends the session at
    // the first expiry, because each client spends the same refresh token.
    refresh: () => (refreshing ??= refreshOnce().finally(() => (refreshing = undefined))),
  };
  return {
    clients: {
      axios: axiosRecipe(tokens),
      ky: kyRecipe(tokens),
      got: gotRecipe(tokens),
      fetch: fetchRecipe(tokens),
    },
    signIn: async (next) => void (current = next),
    close: async () => undefined,
  };
}
