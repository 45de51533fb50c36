import { createServer } from 'node:http';
import { close, listen } from './loopback.ts';
import type { Tally } from './tally.ts';

export interface OtherOrigin {
  readonly origin: string;
  close(): Promise<void>;
}

/** A server of somebody else's, which clients are sent to by links and redirects: it must never see an access token. */
export async function startOtherOrigin(tally: Tally): Promise<OtherOrigin> {
  const server = createServer((request, response) => {
    tally.foreign += 1;
    if (request.rawHeaders.some((text) => text.startsWith('Bearer '))) tally.leaks += 1;
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  return { origin: await listen(server), close: () => close(server) };
}
