import { createRequire } from 'node:module';
import { jest } from '@jest/globals';
import { afterwards } from './place.ts';

type Extensions = Record<'tryLock', (...args: unknown[]) => boolean>;

/** Returns what waits until locks were refused twice more in this process: somebody waits for one that is held. */
export function watchRefusals(): () => Promise<void> {
  const extensions = createRequire(import.meta.url)('fs-native-extensions') as Extensions;
  const { tryLock } = extensions;
  let left = 2;
  const refused = Promise.withResolvers<void>();
  const spy = jest.spyOn(extensions, 'tryLock').mockImplementation((...args) => {
    const isLocked = tryLock(...args);
    if (!isLocked) left -= 1;
    if (left === 0) refused.resolve();
    return isLocked;
  });
  afterwards(() => spy.mockRestore());
  return () => refused.promise;
}
