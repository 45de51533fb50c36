import { kyAuth } from '@unexpired/ky';
import ky from 'ky';
import { prove } from './proof.ts';

await prove((tokens) => {
  const api = ky.extend(kyAuth(tokens));
  return async ({ url, ...options }) => {
    const { status } = await api(url, { ...options, context: { unexpired: { minTtlMs: 1000 } } });
    return status;
  };
});
