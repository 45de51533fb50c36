import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';

export async function connectTo(url: string, tokens: TokenSource): Promise<Client> {
  const client = new Client({ name: 'assistant', version: '1.0.0' });
  // Without `authProvider`, which would set and refresh access tokens of its own.
  const transport = new StreamableHTTPClientTransport(new URL(url), { fetch: fetchAuth(tokens) });
  await client.connect(transport);
  return client;
}
