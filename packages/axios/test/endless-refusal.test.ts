import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { axiosAuth } from '@unexpired/axios';
import { createTokenSource } from '@unexpired/core';
import axios from 'axios';

test.each(['http', 'fetch'])(
  'a streamed refusal whose body never ends keeps no connection of the %s adapter',
  async (adapter) => {
    let requests = 0;
    const closed = Promise.withResolvers<void>();
    const server = createServer((_, response) => {
      requests += 1;
      if (requests > 1) return response.end('done');
      response.on('close', () => closed.resolve());
      response.writeHead(401, { 'content-length': '100' });
      response.write('x');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    let issued = 0;
    const tokens = createTokenSource({
      origins: [origin],
      refresh: () => ({ access_token: `access-${(issued += 1)}`, expires_in: 3600 }),
    });
    const client = axios.create({ adapter, responseType: 'stream' });
    client.interceptors.request.use(axiosAuth(tokens));

    const { status } = await client.get(origin);

    expect(status).toBe(200);
    await closed.promise;
    server.closeAllConnections();
    server.close();
    await tokens.close();
  },
);
