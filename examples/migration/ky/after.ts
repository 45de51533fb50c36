import { createTokenSource, type TokenResponse } from '@unexpired/core';
import { kyAuth } from '@unexpired/ky';
import { refreshTokenGrant } from '@unexpired/oauth';
import ky, { type KyInstance } from 'ky';

export async function connect(
  place: { api: string; tokenEndpoint: string },
  first: TokenResponse,
): Promise<KyInstance> {
  const tokens = createTokenSource({
    origins: [place.api],
    refresh: refreshTokenGrant({ tokenEndpoint: place.tokenEndpoint, clientId: 'cli' }),
  });
  await tokens.signIn(first);

  return ky.create({ baseUrl: place.api }).extend(kyAuth(tokens));
}
