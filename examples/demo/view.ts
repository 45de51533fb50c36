import type { WriteStream } from 'node:tty';
import { frameOf, type Scene } from './frame.ts';

/** A view of the run while it runs. */
export interface View {
  /** Says something that stays. */
  say(text: string): void;
  /** Gives a terminal back as it was, with what was said on it. Safe to call twice. */
  close(): void;
}

const FRAME_MS = 100;
/** What a line of the live view may need, and one more: some terminals wrap at the last. */
const COLUMNS = 80;
/** The other screen, which leaves the user's own alone; and no cursor. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';

function draw(terminal: WriteStream, scene: Scene): void {
  const lines = frameOf(scene).slice(0, terminal.rows);
  terminal.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\n')}\x1b[J`);
}

function openTerminal(terminal: WriteStream, sceneNow: () => Scene): View {
  const said: string[] = [];
  let isOpen = true;
  const timer = setInterval(() => draw(terminal, sceneNow()), FRAME_MS);
  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    clearInterval(timer);
    terminal.write(LEAVE + said.join(''));
  }
  terminal.write(ENTER);
  // However the process ends, the terminal is given back.
  for (const end of ['uncaughtExceptionMonitor', 'exit'] as const) process.once(end, close);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      close();
      process.kill(process.pid, signal);
    });
  }
  return { say: (text) => void said.push(`${text}\n`), close };
}

/** Live in a terminal that is wide enough, a line for each chapter elsewhere. */
export function openView(sceneNow: () => Scene): View {
  const { stdout, env } = process;
  const isLive = stdout.isTTY && stdout.columns >= COLUMNS && env['TERM'] !== 'dumb' && !env['CI'];
  if (isLive) return openTerminal(stdout, sceneNow);
  return { say: (text) => void stdout.write(`${text}\n`), close: () => undefined };
}
