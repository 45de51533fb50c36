import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { nameOf } from './names.ts';

/** What the processes of a user share beside the keyring; none of it holds anything. */
export interface Place {
  readonly service: string;
  /** Locked while one process decides about a refresh. */
  readonly sectionLock: string;
  /** Locked while one process writes. */
  readonly writeLock: string;
  /** Touched after each write. */
  readonly changed: string;
}

/**
 * The same for a desktop session, ssh and cron. The environment is not asked: XDG_RUNTIME_DIR, XDG_STATE_HOME and HOME
 * differ between them, and a lock at two paths is none.
 */
export function directoryOfUser(): string {
  const home = ((): string => {
    try {
      return userInfo().homedir;
    } catch {
      // A container may run as a user that the system does not know.
      return homedir();
    }
  })();
  return join(home, '.local', 'state', 'unexpired');
}

export function placeIn(directory: string, service: string): Place {
  const path = join(directory, `keyring-${nameOf(service)}`);
  return {
    service,
    sectionLock: `${path}.lock`,
    writeLock: `${path}.write.lock`,
    changed: `${path}.changed`,
  };
}
