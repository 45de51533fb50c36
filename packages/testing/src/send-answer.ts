import type { ServerResponse } from 'node:http';
import type { Answer, Fault } from './fault.ts';

/** One request on its way to its answer. */
export interface Delivery {
  readonly fault: Fault;
  /** Made when the request arrives, so that no release can come too early. */
  readonly released: Promise<void> | undefined;
  readonly response: ServerResponse;
  /** Is told the status as soon as the headers leave. */
  readonly record: { status: number | undefined };
}

function isRaw(body: unknown): body is string | Uint8Array {
  return typeof body === 'string' || ArrayBuffer.isView(body);
}

function bytesOf(body: unknown): Buffer {
  return Buffer.from(isRaw(body) ? body : JSON.stringify(body));
}

function writeHead({ status = 200, headers, body }: Answer, { fault, response, record }: Delivery): void {
  response.statusCode = status;
  if (body !== undefined && !isRaw(body)) response.setHeader('Content-Type', 'application/json');
  for (const [name, value] of Object.entries({ ...headers, ...fault.headers }))
    response.setHeader(name, value);
  record.status = status;
}

/** Sends an answer with what the fault does to it; resolves when the server is done with it. */
export async function sendAnswer(answer: Answer, delivery: Delivery): Promise<void> {
  const { fault, released, response } = delivery;
  if (fault.hold === 'answer') await released;
  if (fault.reset === 'answer') response.destroy();
  // The client may have gone away meanwhile.
  if (response.destroyed) return;
  writeHead(answer, delivery);
  const whole = answer.body === undefined ? Buffer.alloc(0) : bytesOf(answer.body);
  const body = fault.truncate === true ? whole.subarray(0, Math.ceil(whole.length / 2)) : whole;
  if (body.length > 0) response.setHeader('Content-Length', body.length);
  if (fault.hold === 'body' || fault.reset === 'body') await sendInHalves(body, delivery);
  else response.end(body);
}

async function sendInHalves(body: Buffer, { fault, released, response }: Delivery): Promise<void> {
  const half = Math.ceil(body.length / 2);
  response.flushHeaders();
  await writeOut(response, body.subarray(0, half));
  if (fault.hold === 'body') await released;
  if (fault.reset === 'body') response.destroy();
  else response.end(body.subarray(half));
}

/** Resolves when the bytes have left the process, so that a reset after it cannot take them back. */
function writeOut(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    response.once('close', resolve);
    response.write(bytes, () => resolve());
  });
}
