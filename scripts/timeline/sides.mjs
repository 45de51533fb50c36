// The two sides of the picture: what people write by hand, and the adapter for fetch.
import { createTokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { refreshTokenGrant } from '@unexpired/oauth';

async function exchangeOf({ fetch, authorization }, refreshToken) {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: 'app',
  });
  const response = await fetch(authorization.tokenEndpoint, { method: 'POST', body });
  return response.json();
}

/** The usual recipe in its better form: on a 401 refresh once for all who wait, then send again. */
export function recipe(world, first) {
  let tokens = first;
  let refreshing;
  async function refresh() {
    tokens = await exchangeOf(world, tokens.refresh_token);
  }
  return async (url) => {
    const send = () => world.fetch(url, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    const response = await send();
    if (response.status !== 401) return response;
    refreshing ??= refresh().finally(() => {
      refreshing = undefined;
    });
    await refreshing;
    return send();
  };
}

export async function library({ fetch, authorization, api, clock }, first) {
  const { tokenEndpoint } = authorization;
  const tokens = createTokenSource({
    origins: [api.origin],
    refresh: refreshTokenGrant({ tokenEndpoint, clientId: 'app', fetch }),
    clock,
    random: () => 0.5,
  });
  await tokens.signIn(first);
  return fetchAuth(tokens, { fetch });
}
