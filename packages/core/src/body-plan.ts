import { classifyBody, createReplayBody } from './replay-body.ts';

/** How one request's body is sent, and sent again. */
export interface BodyPlan {
  /** The body for the first attempt. */
  readonly first: unknown;
  /** It may be impossible to send it again: a token that will not be refused is worth waiting for. */
  readonly oneShot: boolean;
  /** Asked when a replay is due. */
  isReplayable(): boolean;
  /** The body for the replay. Rejects with what the caller's factory threw. */
  again(): Promise<unknown>;
  /** To be called when the request is over. */
  dispose(): void;
}

export interface BodyPlanOptions {
  /** The caller's `unexpired.body`; called once, for the replay. */
  readonly factory?: (() => unknown) | undefined;
  /** How much of a one-shot body is kept. */
  readonly replayBytes: number;
  /** The declared length; nothing is recorded that is known to be too long. */
  readonly contentLength?: number | undefined;
  /** Makes of the recording what the client can send. */
  readonly toClientBody: (recording: AsyncIterable<unknown>) => unknown;
}

const nothing = (): void => undefined;

/** Decides, before anything is sent, whether and how a body can be sent twice. */
export function planBody(body: unknown, options: BodyPlanOptions): BodyPlan {
  const { factory, replayBytes, contentLength = 0, toClientBody } = options;
  if (factory !== undefined) {
    return {
      first: body,
      oneShot: false,
      isReplayable: () => true,
      again: async () => factory(),
      dispose: nothing,
    };
  }
  const kind = classifyBody(body);
  if (kind === 'none' || kind === 'value') {
    return {
      first: body,
      oneShot: false,
      isReplayable: () => true,
      again: async () => body,
      dispose: nothing,
    };
  }
  if (kind === 'opaque' || replayBytes === 0 || contentLength > replayBytes) {
    return {
      first: body,
      oneShot: true,
      isReplayable: () => false,
      again: () => Promise.reject(new Error('this body cannot be sent twice')),
      dispose: nothing,
    };
  }
  const recording = createReplayBody(body, replayBytes);
  return {
    first: toClientBody(recording),
    oneShot: true,
    isReplayable: () => recording.isReplayable(),
    again: async () => toClientBody(recording),
    dispose: () => recording.dispose(),
  };
}

/** Discarded bodies are read to their end up to this length: that keeps their connection; beyond it they are cancelled. */
const DRAINED_BYTES = 64 * 1024;

/** Gets rid of a response body that nobody will read. Left alone, it would hold its connection. */
export async function drain(body: ReadableStream<Uint8Array> | null | undefined): Promise<void> {
  if (!body) return;
  try {
    const reader = body.getReader();
    for (let read = 0; read <= DRAINED_BYTES;) {
      const { done, value } = await reader.read();
      if (done) return;
      read += value.byteLength;
    }
    await reader.cancel();
  } catch {
    // It broke off: there is nothing left to get rid of.
  }
}
