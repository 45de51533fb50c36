import {
  bytesOf,
  classifyBody,
  createReplayBody,
  notReplayable,
  sourceOf,
  streamLike,
  type ReplayBody,
} from './replay-body.ts';

/** A request's body as the adapter found it. */
export interface RequestBody {
  readonly value: unknown;
  /** The caller's `unexpired.body`; called once, for the replay. */
  readonly factory?: (() => unknown) | undefined;
  /** The declared length; nothing is recorded that is known to be too long. */
  readonly contentLength?: number | undefined;
  /** Makes of the recording of a one-shot body what the client can send. @default a stream like the one it was */
  readonly toClientBody?: ((recording: ReplayBody) => unknown) | undefined;
}

/** How a body is sent, and sent again. */
export interface BodyPlan {
  /** The body for the first attempt. */
  readonly first: unknown;
  /** Asked when a replay is due. */
  isReplayable(): boolean;
  /** Called when a replay is decided: from here on it can be made. */
  rewind(): void;
  /** The body for the replay. Rejects with what the caller's factory threw. */
  again(): Promise<unknown>;
  /** To be called when the request has failed: some clients would read on. */
  abandon(): void;
  /** To be called when the request is over. */
  dispose(): void;
}

const nothing = (): void => undefined;

function sameAgain(first: unknown, again: () => unknown): BodyPlan {
  return {
    first,
    isReplayable: () => true,
    rewind: nothing,
    again: async () => again(),
    abandon: nothing,
    dispose: nothing,
  };
}

/** Whether it may be impossible to send the body again: then a token that will not be refused is worth waiting for. */
export function isOneShot({ value, factory }: RequestBody): boolean {
  const kind = factory === undefined ? classifyBody(value) : 'value';
  return kind === 'one-shot' || kind === 'opaque';
}

/** Decides, before anything is sent, whether and how a body can be sent twice. */
export function planBody(body: RequestBody, replayBytes: number): BodyPlan {
  const { value, factory, contentLength = 0 } = body;
  const { toClientBody = (recording: ReplayBody): unknown => streamLike(value, recording) } = body;
  if (factory !== undefined) return sameAgain(value, factory);
  if (!isOneShot(body)) return sameAgain(value, () => value);
  if (classifyBody(value) === 'opaque' || replayBytes === 0 || contentLength > replayBytes) {
    return {
      first: value,
      isReplayable: () => false,
      rewind: nothing,
      again: () => Promise.reject(notReplayable()),
      abandon: nothing,
      dispose: nothing,
    };
  }
  const recording = createReplayBody(value, replayBytes);
  return {
    first: toClientBody(recording),
    isReplayable: () => recording.isReplayable(),
    rewind: () => recording.rewind(),
    again: async () => toClientBody(recording),
    abandon: () => recording.abandon(),
    dispose: () => recording.dispose(),
  };
}

/** Discarded bodies are read to their end up to this length: that keeps their connection; beyond it they are cancelled. */
const DRAINED_BYTES = 256 * 1024;

/**
 * Gets rid of a response body that nobody will read. Left alone, a stream would hold its connection; `enough` ends the
 * reading of one that does not end by itself.
 */
export async function drain(body: unknown, enough?: AbortSignal): Promise<void> {
  if (classifyBody(body) !== 'one-shot') return;
  try {
    const source = sourceOf(body);
    const { destroy } = body as { destroy?: () => void };
    // The iterator of a Node stream would wait for the chunk that is being read.
    const close = (): void => {
      if (destroy === undefined) void (async () => source.return?.())().catch(() => undefined);
      else destroy.call(body);
    };
    enough?.addEventListener('abort', close, { once: true });
    for (let read = 0; read <= DRAINED_BYTES && !enough?.aborted;) {
      const result = (await source.next()) as IteratorResult<unknown, undefined>;
      if (result.done) return enough?.removeEventListener('abort', close);
      read += bytesOf(result.value)?.byteLength ?? 0;
    }
    close();
  } catch {
    // It broke off: there is nothing left to get rid of.
  }
}
