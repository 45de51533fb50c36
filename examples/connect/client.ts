import type { Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import type { TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';

/** `createGrpcWebTransport` takes the same. */
export function createTransport(baseUrl: string, tokens: TokenSource): Transport {
  return createConnectTransport({ baseUrl, fetch: fetchAuth(tokens) });
}
