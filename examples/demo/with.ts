import { axiosAuth } from '@unexpired/axios';
import { createTokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { gotAuth } from '@unexpired/got';
import { kyAuth } from '@unexpired/ky';
import { refreshTokenGrant } from '@unexpired/oauth';
import axios from 'axios';
import got from 'got';
import ky from 'ky';
import type { Connection, Place } from './clients.ts';

/** Four clients with unexpired: all there is to set up. */
export function connect({ issuer, clientId, api, store }: Place): Connection {
  const tokens = createTokenSource({
    origins: [api],
    refresh: refreshTokenGrant({ issuer, clientId }),
    store,
  });
  const client = axios.create();
  client.interceptors.request.use(axiosAuth(tokens));

  return {
    clients: {
      axios: client,
      ky: ky.extend(kyAuth(tokens)),
      got: got.extend(gotAuth(tokens)),
      fetch: fetchAuth(tokens),
    },
    signIn: (next) => tokens.signIn(next),
    close: () => tokens.close(),
  };
}
