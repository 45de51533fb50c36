import { gotAuth } from '@unexpired/got';
import got from 'got';
import { prove } from './proof.ts';

await prove((tokens) => {
  const api = got.extend(gotAuth(tokens));
  return async ({ url, ...options }) => {
    const { statusCode } = await api(url, { ...options, context: { unexpired: { minTtlMs: 1000 } } });
    return statusCode;
  };
});
