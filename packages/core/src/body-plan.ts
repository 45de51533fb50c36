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
  /** About how long a one-shot body is, where it is known to have been made of a value: a short one is recorded whole. */
  readonly size?: number | undefined;
  /** Makes of the recording of a one-shot body what the client can send. @default a stream like the one it was */
  readonly toClientBody?: ((recording: ReplayBody) => unknown) | undefined;
}

/** How a body is sent, and sent again. */
export interface BodyPlan {
  /** The body for the first attempt. */
  readonly first: unknown;
  /** Where it can be read only once. */
  readonly recording?: ReplayBody | undefined;
  /** Asked when a replay is due. */
  isReplayable(): boolean;
  /** The body for the replay. Throws, or rejects, with what the caller's factory did. */
  again(): unknown;
}

const always = (): boolean => true;

/** Whether it may be impossible to send the body again: then a token that will not be refused is worth waiting for. */
export function isOneShot({ value, factory }: RequestBody): boolean {
  const kind = factory === undefined ? classifyBody(value) : 'value';
  return kind === 'one-shot' || kind === 'opaque';
}

/** Decides, before anything is sent, whether and how a body can be sent twice. */
export function planBody(body: RequestBody, replayBytes: number): BodyPlan {
  const { value, factory, contentLength = 0 } = body;
  const { toClientBody = (recording: ReplayBody): unknown => streamLike(value, recording) } = body;
  if (factory !== undefined) return { first: value, isReplayable: always, again: factory };
  if (!isOneShot(body)) return { first: value, isReplayable: always, again: () => value };
  if (classifyBody(value) === 'opaque' || replayBytes === 0 || contentLength > replayBytes) {
    const again = (): never => {
      throw notReplayable();
    };
    return { first: value, isReplayable: () => false, again };
  }
  const recording = createReplayBody(value, replayBytes);
  const again = (): unknown => toClientBody(recording);
  return { first: again(), recording, isReplayable: () => recording.isReplayable(), again };
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
