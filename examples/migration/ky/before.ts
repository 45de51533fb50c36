import type { TokenResponse } from '@unexpired/core';
import ky, { type KyInstance } from 'ky';

export function connect(
  place: { api: string; tokenEndpoint: string },
  first: TokenResponse,
  { shared = false } = {},
): KyInstance {
  let tokens = first;
  let refreshing: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'cli' });
    body.set('refresh_token', tokens.refresh_token!);
    tokens = await ky.post(place.tokenEndpoint, { body }).json();
  }

  // The careful form: requests share a refresh that is under way.
  function refreshShared(): Promise<void> {
    refreshing ??= refresh().finally(() => (refreshing = undefined));
    return refreshing;
  }

  return ky.create({
    baseUrl: place.api,
    hooks: {
      beforeRequest: [({ request }) => request.headers.set('Authorization', `Bearer ${tokens.access_token}`)],
      afterResponse: [
        async ({ request, response, retryCount }) => {
          if (response.status !== 401 || retryCount > 0) return;
          await (shared ? refreshShared() : refresh());
          const headers = new Headers(request.headers);
          headers.set('Authorization', `Bearer ${tokens.access_token}`);
          return ky.retry({ request: new Request(request, { headers }), code: 'TOKEN_REFRESHED' });
        },
      ],
    },
  });
}
