import type { Follow } from './redis-client.ts';

/** Looks this soon first, then ever more rarely. */
const FIRST_LOOK_MS = 100;
const LONGEST_LOOK_MS = 10_000;

export interface Watch {
  readonly channel: string;
  /** Undefined: nothing is stored. */
  readonly revision: () => Promise<number | undefined>;
}

/**
 * Calls back on a message, and where the revision changed without one: there may be no subscriber, its connection may be
 * down, or the write came before it listened.
 */
export function watchFor(follow: Follow, { channel, revision }: Watch, onChange: () => void): () => void {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  let known = revision().catch(() => undefined);
  const look = async (ms: number): Promise<void> => {
    const found = await revision().catch(() => known);
    if (isOver) return;
    if (found !== (await known)) onChange();
    known = Promise.resolve(found);
    lookAfter(Math.min(ms * 2, LONGEST_LOOK_MS));
  };
  const lookAfter = (ms: number): void => {
    if (!isOver) timer = setTimeout(() => void look(ms), ms * (0.75 + Math.random() / 2)).unref();
  };
  lookAfter(FIRST_LOOK_MS);
  const stop = follow(channel, () => {
    if (!isOver) onChange();
  });
  return () => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    stop();
  };
}
