import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A token request that passed. */
export interface TokenRequest {
  readonly refreshToken: string | null;
  /** Undefined before the server has answered. */
  status: number | undefined;
}

/** Stands before the token endpoint of a server that keeps no records, and writes down what it is sent. */
export interface Recorder {
  readonly tokenEndpoint: string;
  /** In the order of arrival. */
  readonly requests: readonly TokenRequest[];
  close(): Promise<void>;
}

async function passOn(target: string, body: string): Promise<Response> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return fetch(target, { method: 'POST', headers, body });
}

/** As it came: glewlwyd refuses with neither a body nor a content type. */
async function handBack(answer: Response, response: ServerResponse): Promise<void> {
  const type = answer.headers.get('content-type');
  response.writeHead(answer.status, type === null ? {} : { 'content-type': type });
  response.end(await answer.text());
}

export async function recordRequestsTo(target: string): Promise<Recorder> {
  const requests: TokenRequest[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    const refreshToken = new URLSearchParams(body).get('refresh_token');
    const record: TokenRequest = { refreshToken, status: undefined };
    requests.push(record);
    const answer = await passOn(target, body);
    record.status = answer.status;
    await handBack(answer, response);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    tokenEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    requests,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
