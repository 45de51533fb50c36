import type { TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { GraphQLClient } from 'graphql-request';

export function createGraphQLClient(endpoint: string, tokens: TokenSource): GraphQLClient {
  return new GraphQLClient(endpoint, { fetch: fetchAuth(tokens) });
}
