import type { TokenSource } from '@unexpired/core';
import { kyAuth } from '@unexpired/ky';
import ky, { type KyInstance } from 'ky';

export function createApi(prefix: string, tokens: TokenSource): KyInstance {
  const retry = { limit: 3, backoffLimit: 10_000, jitter: true };
  // kyAuth wraps the fetch of each attempt. 401 stays out of `statusCodes`: what it can cure is cured within the attempt.
  return ky.create({ prefix, timeout: 10_000, retry }).extend(kyAuth(tokens));
}
