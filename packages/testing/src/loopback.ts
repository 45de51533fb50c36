import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** A server on 127.0.0.1 with a free port, and its connections. */
export interface Loopback {
  readonly origin: string;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Connections open now. */
  readonly open: number;
  /** Which connection this is, counted from 1. */
  connectionNumber(socket: Socket): number;
  serve(handler: Handler): void;
  dropConnections(): void;
  close(): Promise<void>;
}

function answerFailure(failure: unknown, response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // Whoever wrote the handler reads the client's answer first, so the reason belongs there.
  response
    .writeHead(500, { 'Content-Type': 'text/plain' })
    .end(`The test’s own function failed: ${String(failure)}`);
}

/** Starts a server, which answers nothing before `serve`. */
export async function listen(): Promise<Loopback> {
  const open = new Map<Socket, number>();
  let accepted = 0;
  // A test may send and hold a body as long as it likes.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 0 });
  server.on('connection', (socket) => {
    accepted += 1;
    open.set(socket, accepted);
    socket.on('close', () => open.delete(socket));
    // A client that hangs up is what a test wants to see, not a failure of the server.
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const dropConnections = (): void => open.forEach((_, socket) => socket.destroy());
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get accepted() {
      return accepted;
    },
    get open() {
      return open.size;
    },
    connectionNumber: (socket) => open.get(socket) ?? 0,
    serve(handler) {
      server.on('request', (request, response) => {
        response.on('error', () => {});
        handler(request, response).catch((failure: unknown) => answerFailure(failure, response));
      });
    },
    dropConnections,
    close: () =>
      new Promise((resolve) => {
        // The error it may be given only says that the server is closed already.
        server.close(() => resolve());
        dropConnections();
      }),
  };
}

/** The whole body, or undefined where the client went away before its end. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}
