import { createTokenSource, type TokenResponse } from '@unexpired/core';
import { gotAuth } from '@unexpired/got';
import { refreshTokenGrant } from '@unexpired/oauth';
import got, { type Got } from 'got';

export async function connect(
  place: { api: string; tokenEndpoint: string },
  first: TokenResponse,
): Promise<Got> {
  const tokens = createTokenSource({
    origins: [place.api],
    refresh: refreshTokenGrant({ tokenEndpoint: place.tokenEndpoint, clientId: 'cli' }),
  });
  await tokens.signIn(first);

  return got.extend({ prefixUrl: place.api }).extend(gotAuth(tokens));
}
