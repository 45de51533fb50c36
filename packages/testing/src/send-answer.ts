import type { ServerResponse } from 'node:http';
import type { Answer, Fault, Point } from './fault.ts';

/** One answer on its way. */
export interface Delivery {
  readonly fault: Fault;
  readonly hold: () => Promise<void>;
  readonly response: ServerResponse;
  /** Is told the status as soon as the headers leave. */
  readonly record: { status: number | undefined };
}

/** Holds or resets where the fault says so; false when there is nobody left to answer. */
export async function passes(point: Point, { fault, hold, response }: Delivery): Promise<boolean> {
  if (fault.hold === point) await hold();
  if (fault.reset === point) response.destroy();
  return !response.destroyed;
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
  const { fault, response } = delivery;
  if (!(await passes('answer', delivery))) return;
  writeHead(answer, delivery);
  const whole = answer.body === undefined ? Buffer.alloc(0) : bytesOf(answer.body);
  const half = Math.ceil(whole.length / 2);
  const body = fault.truncate === true ? whole.subarray(0, half) : whole;
  if (body.length > 0) response.setHeader('Content-Length', body.length);
  if (fault.hold !== 'body' && fault.reset !== 'body') {
    response.end(body);
    return;
  }
  await writeOut(response, body.subarray(0, half));
  if (await passes('body', delivery)) response.end(body.subarray(half));
}

/** Resolves when the bytes have left the process, so that a reset after it cannot take them back. */
function writeOut(response: ServerResponse, bytes: Buffer): Promise<void> {
  response.flushHeaders();
  return new Promise((resolve) => {
    response.once('close', resolve);
    if (bytes.length === 0) resolve();
    else response.write(bytes, () => resolve());
  });
}
