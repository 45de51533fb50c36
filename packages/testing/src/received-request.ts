import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** One request as it arrived. The body grows while its bytes come in. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came, duplicates too. */
  readonly rawHeaders: readonly string[];
  /** Every Authorization line; more than one is a fault of the client. */
  readonly authorization: readonly string[];
  /** The credential of a `Bearer` Authorization. */
  readonly bearerToken: string | undefined;
  /** Which connection of this server it came on, counted from 1. */
  readonly connection: number;
  /** What arrived of the body; empty with `keepBodies: false`. */
  readonly body: Buffer;
  /** Bytes that arrived of the body. */
  readonly length: number;
  /** Of the bytes that arrived, in hexadecimal. */
  readonly sha256: string;
  /** Whether the body came to its end. */
  readonly complete: boolean;
  /** Resolves when the body came to its end, or the connection to its. */
  readonly ended: Promise<void>;
  /** Of the answer; undefined while none was begun. */
  readonly status: number | undefined;
}

/** A record that still waits for its answer. */
export type OpenRequest = Omit<ReceivedRequest, 'status'> & { status: number | undefined };

function linesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

function endOf(message: IncomingMessage): Promise<void> {
  const { socket } = message;
  return new Promise((resolve) => {
    const end = (): void => {
      socket.off('close', end);
      resolve();
    };
    message.once('end', end);
    // Node emits no `close` on a message that breaks off after its answer, so the connection has to tell.
    socket.once('close', end);
  });
}

/** Records a request from its headers on. */
export function receive(
  message: IncomingMessage,
  { connection, keepBodies }: { connection: number; keepBodies: boolean },
): OpenRequest {
  const { method = '', url = '', headers, rawHeaders } = message;
  const chunks: Buffer[] = [];
  const hash = createHash('sha256');
  let length = 0;
  message.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    length += chunk.length;
    if (keepBodies) chunks.push(chunk);
  });
  const ended = endOf(message);
  return {
    method,
    url,
    headers,
    rawHeaders,
    connection,
    ended,
    authorization: linesOf(rawHeaders, 'authorization'),
    bearerToken: /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1],
    get body() {
      return Buffer.concat(chunks);
    },
    get length() {
      return length;
    },
    get sha256() {
      return hash.copy().digest('hex');
    },
    get complete() {
      return message.complete;
    },
    status: undefined,
  };
}
