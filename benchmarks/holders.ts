import { messageOf, start } from './harness.ts';
import { createMeeting, type LockName } from './locks.ts';

/** A process that takes a lock and lets it go as it is told, and tells when that was. */
export interface Holder {
  take(): Promise<number>;
  release(): Promise<number>;
  kill(): void;
  stop(): void;
}

export type StartHolder = () => Promise<Holder>;

async function startHolder(name: LockName, meeting: string): Promise<Holder> {
  const child = start('lock-holder.ts', name, meeting);
  await messageOf(child);
  const tell = (order: 'take' | 'release'): Promise<number> => {
    const done = messageOf<number>(child);
    // It may wait for ever, until it is killed.
    done.catch(() => undefined);
    child.send(order);
    return done;
  };
  return {
    take: () => tell('take'),
    release: () => tell('release'),
    kill: () => void child.kill('SIGKILL'),
    stop: () => void child.kill('SIGSTOP'),
  };
}

/** Runs with holders that meet in a place of their own, and ends them. */
export async function inMeeting<T>(
  name: LockName,
  redisSocket: string | undefined,
  run: (start: StartHolder) => Promise<T>,
): Promise<T> {
  const holders: Holder[] = [];
  const meeting = createMeeting(redisSocket);
  try {
    return await run(async () => {
      const holder = await startHolder(name, JSON.stringify(meeting));
      holders.push(holder);
      return holder;
    });
  } finally {
    for (const holder of holders) holder.kill();
    meeting.remove();
  }
}
