import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe } from '@jest/globals';

const run = promisify(execFile);

/** A D-Bus session of the test's own, with a GNOME keyring in a home that is thrown away. */
export interface KeyringSession {
  /** What a process needs to find it. */
  readonly env: Readonly<Record<string, string>>;
  /** For locks. */
  readonly directory: string;
  /** The daemon's process; another one is started by D-Bus, and is locked, once this one is gone. */
  daemon(): Promise<number>;
  /** The process of its bus. */
  bus(): Promise<number>;
  lock(): Promise<void>;
  /** Starts another daemon in the place of the one that runs, and unlocks it. */
  replace(): Promise<void>;
  close(): Promise<void>;
}

const PROGRAMS = ['gnome-keyring-daemon', 'dbus-run-session', 'gdbus'] as const;
const missing = PROGRAMS.find((name) => spawnSync('which', [name]).status !== 0);

/** Why tests over a keyring do not run here, for their names; CI has one. */
const keyringMissing: string | undefined = missing && `${missing} is not installed`;

/** A question for a password that nobody sees: D-Bus waits for a prompter that never comes. */
const DEAF_PROMPTER = '[D-BUS Service]\nName=org.gnome.keyring.SystemPrompter\nExec=/bin/sleep 60\n';

/** Else D-Bus would start the one that is installed. */
const NO_DAEMON = '[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/false\n';

const UNLOCKED = 'printf password | gnome-keyring-daemon --unlock --components=secrets';
const WITH_DAEMON = `${UNLOCKED} >/dev/null; ` + 'echo "$DBUS_SESSION_BUS_ADDRESS"; exec cat >/dev/null';
const WITHOUT_DAEMON = 'echo "$DBUS_SESSION_BUS_ADDRESS"; exec cat >/dev/null';

function homeAt(home: string): Record<string, string> {
  const path = process.env['PATH'] ?? '';
  return {
    PATH: path,
    HOME: home,
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_RUNTIME_DIR: join(home, 'run'),
  };
}

async function call(env: NodeJS.ProcessEnv, destination: string, ...rest: string[]): Promise<string> {
  const { stdout } = await run('gdbus', ['call', '--session', '--dest', destination, ...rest], { env });
  return stdout;
}

export async function startKeyring(options: { daemon?: boolean } = {}): Promise<KeyringSession> {
  const home = await mkdtemp(join(tmpdir(), 'unexpired-keyring-'));
  const places = homeAt(home);
  await mkdir(join(home, 'data', 'keyrings'), { recursive: true, mode: 0o700 });
  const services = join(home, 'data', 'dbus-1', 'services');
  await mkdir(services, { recursive: true });
  await mkdir(join(home, 'run'), { mode: 0o700 });
  await writeFile(join(services, 'prompter.service'), DEAF_PROMPTER);
  if (options.daemon === false) await writeFile(join(services, 'secrets.service'), NO_DAEMON);
  const script = options.daemon === false ? WITHOUT_DAEMON : WITH_DAEMON;
  // It ends, with its bus, when its standard input does.
  const session: ChildProcess = spawn('dbus-run-session', ['--', 'sh', '-c', script], {
    env: places,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = once(session, 'exit');
  const [address] = (await once(createInterface({ input: session.stdout! }), 'line')) as [string];
  // What D-Bus starts has it too, for longer.
  session.stdout!.destroy();
  const env = { ...places, DBUS_SESSION_BUS_ADDRESS: address };
  const bus = ['--object-path', '/org/freedesktop/DBus', '--method'];

  async function processOf(name: string): Promise<number> {
    const owner = 'org.freedesktop.DBus.GetConnectionUnixProcessID';
    const answer = await call(env, 'org.freedesktop.DBus', ...bus, owner, name);
    return Number(/uint32 (\d+)/.exec(answer)?.[1]);
  }

  const daemon = (): Promise<number> => processOf('org.freedesktop.secrets');

  return {
    env,
    directory: join(home, 'state'),
    daemon,
    bus: () => processOf('org.freedesktop.DBus'),
    async lock() {
      const path = '/org/freedesktop/secrets';
      const method = ['--object-path', path, '--method', 'org.freedesktop.Secret.Service.Lock'];
      await call(env, 'org.freedesktop.secrets', ...method, `['${path}/collection/login']`);
    },
    replace: async () => void (await run('sh', ['-c', `${UNLOCKED} --replace`], { env })),
    async close() {
      const pid = options.daemon === false ? undefined : await daemon().catch(() => undefined);
      if (pid !== undefined && (await readFile(`/proc/${pid}/comm`, 'utf8')).startsWith('gnome-keyring'))
        process.kill(pid, 'SIGKILL');
      session.stdin!.end();
      await ended;
      await rm(home, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** A group of tests that need a keyring. */
export function describeKeyring(name: string, define: () => void): void {
  const [register, title] =
    keyringMissing === undefined
      ? [describe, name]
      : // reason: a developer's machine may have no Secret Service; CI fails for such a name
        [describe.skip, `${name} (${keyringMissing})`];
  register(title, define);
}
