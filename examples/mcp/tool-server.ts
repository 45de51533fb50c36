import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express, { type Express } from 'express';
import { z } from 'zod';

export interface Seen {
  readonly method: string;
  readonly status: number;
  readonly token: string | undefined;
  readonly session: string | undefined;
}

export interface ToolServer {
  readonly app: Express;
  /** What was answered since this was last asked. */
  readonly answered: () => Seen[];
  /** How often the tool ran. */
  readonly runs: () => number;
  /** The next time that a client's event stream is admitted. */
  readonly nextStream: () => Promise<unknown>;
  /** Ends the event stream, as a restart or a proxy does. */
  readonly dropStream: () => void;
}

/** A server of one session and two tools, which wants a bearer token with each request. */
export async function createToolServer(accepts: (token: string) => boolean): Promise<ToolServer> {
  const server = new McpServer({ name: 'tools', version: '1.0.0' });
  let runs = 0;
  server.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => {
    runs += 1;
    return { content: [{ type: 'text', text: String(a + b) }] };
  });
  server.registerTool('announce', {}, () => {
    server.sendToolListChanged();
    return { content: [] };
  });
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID });
  await server.connect(transport);

  const streams = new EventEmitter();
  const seen: Seen[] = [];
  const app = express();
  app.use((request, response, next) => {
    const { method, headers } = request;
    const token = headers.authorization?.replace('Bearer ', '');
    seen.push({
      method,
      token,
      session: request.get('mcp-session-id'),
      get status() {
        return response.statusCode;
      },
    });
    next();
  });
  const verifyAccessToken = async (token: string) => {
    if (!accepts(token)) throw new InvalidTokenError('Expired or revoked');
    return { token, clientId: 'assistant', scopes: [], expiresAt: Date.now() / 1000 + 60 };
  };
  app.use(requireBearerAuth({ verifier: { verifyAccessToken } }));
  app.all('/mcp', async (request, response) => {
    if (request.method === 'GET') streams.emit('stream');
    await transport.handleRequest(request, response);
  });
  return {
    app,
    answered: () => seen.splice(0),
    runs: () => runs,
    nextStream: () => once(streams, 'stream', { signal: AbortSignal.timeout(10_000) }),
    dropStream: () => transport.closeStandaloneSSEStream(),
  };
}
