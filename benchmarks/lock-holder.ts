// A process that takes a lock when it is told to, and says when it had it, and when it let go.
import { now, openLock, type LockName, type Meeting } from './locks.ts';

const [name, meeting] = process.argv.slice(2) as [LockName, string];
const lock = await openLock(name, JSON.parse(meeting) as Meeting);
let release = (): void => undefined;

async function hold(): Promise<void> {
  const released = Promise.withResolvers<void>();
  release = released.resolve;
  process.send!(now());
  await released.promise;
  process.send!(now());
}

process.on('message', (told: 'take' | 'release') => {
  if (told === 'release') release();
  else void lock(hold);
});
process.on('disconnect', () => process.exit());
process.send!(now());
