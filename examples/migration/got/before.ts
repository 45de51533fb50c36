import type { TokenResponse } from '@unexpired/core';
import got, { type Got } from 'got';

export function connect(
  place: { api: string; tokenEndpoint: string },
  first: TokenResponse,
  { shared = false } = {},
): Got {
  let tokens = first;
  let refreshing: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: 'cli' };
    tokens = await got.post(place.tokenEndpoint, { form }).json();
  }

  // The careful form: requests share a refresh that is under way.
  function refreshShared(): Promise<void> {
    refreshing ??= refresh().finally(() => (refreshing = undefined));
    return refreshing;
  }

  const bearer = () => ({ headers: { authorization: `Bearer ${tokens.access_token}` } });
  const api: Got = got.extend({
    prefixUrl: place.api,
    ...bearer(),
    mutableDefaults: true,
    hooks: {
      afterResponse: [
        async (response, retryWithMergedOptions) => {
          if (response.statusCode !== 401) return response;
          await (shared ? refreshShared() : refresh());
          api.defaults.options.merge(bearer());
          return retryWithMergedOptions(bearer());
        },
      ],
    },
  });
  return api;
}
