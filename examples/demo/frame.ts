import { styleText } from 'node:util';
import type { IssuedToken } from './issuance.ts';
import { secondsText, sharesTable } from './report.ts';
import { since, type Counts, type Tally } from './tally.ts';

export interface ChapterState {
  readonly title: string;
  readonly state: 'to come' | 'running' | 'kept' | 'BROKEN';
  readonly ms: number;
}

/** Everything that the live view shows. */
export interface Scene {
  readonly title: string;
  readonly ms: number;
  readonly chapters: readonly ChapterState[];
  readonly token: IssuedToken;
  readonly now: number;
  readonly tally: Tally;
  /** What was counted at regular moments. */
  readonly history: readonly Counts[];
}

const MARK = { 'to come': '[ ]', running: '[>]', kept: '[x]', BROKEN: '[!]' } as const;
const STYLE = { 'to come': 'dim', running: 'bold', kept: 'green', BROKEN: 'red' } as const;

function chapterLine({ title, state, ms }: ChapterState): string {
  const time = state === 'to come' ? '' : secondsText(ms);
  const word = state === 'running' ? '' : state;
  return styleText(
    STYLE[state],
    `${MARK[state]}    ${title.padEnd(54)}${word.padStart(9)}${time.padStart(9)}`,
  );
}

const BAR = 36;

/** How much of the newest access token's life is left. */
function tokenLine({ token, now }: Scene): string {
  const left = Math.max(0, token.issuedAt + token.lifetimeMs - now);
  const cells = Math.round((BAR * left) / Math.max(1, token.lifetimeMs));
  const bar = '#'.repeat(cells).padEnd(BAR, '.');
  const text = left > 0 ? `${secondsText(left)} left` : 'expired';
  return `       ${`access token #${token.generation}`.padEnd(20)}[${bar}]${text.padStart(14)}`;
}

const CELLS = 58;
const HEIGHTS = ' ▁▂▃▄▅▆▇█';

function height(count: number): string {
  // By the power of two: a burst of 1,000 and a trickle of 20 are both to be seen.
  return HEIGHTS[Math.min(HEIGHTS.length - 1, Math.ceil(Math.log2(count + 1)))]!;
}

/** What happened when: a column for each step of the history, the newest at the right. */
function timeline({ history }: Scene): string[] {
  const steps = history
    .slice(1)
    .map((counts, index) => since(history[index]!, counts))
    .slice(-CELLS);
  const row = (name: string, cell: (step: Counts) => string): string =>
    `       ${name.padEnd(14)}${steps.map(cell).join('')}`.trimEnd();
  return [
    row('calls', ({ calls }) => height(calls)),
    row('refreshes', ({ refreshes }) => (refreshes > 0 ? 'R' : ' ')),
    row('API sent 401', ({ refusals }) => (refusals > 0 ? '4' : ' ')),
    styleText(
      'red',
      row('callers saw', ({ seenRefusals, errors }) => (seenRefusals > 0 ? '4' : errors > 0 ? '!' : ' ')),
    ),
    '       R: refreshed   4: a 401   !: another error',
  ];
}

/** The lines of one moment: at most 24, of at most 79 columns. */
export function frameOf(scene: Scene): string[] {
  const { title, ms, chapters, tally } = scene;
  return [
    styleText('bold', `${title.padEnd(70)}${secondsText(ms).padStart(9)}`),
    '',
    ...chapters.map(chapterLine),
    '',
    tokenLine(scene),
    '',
    ...sharesTable(tally),
    '',
    ...timeline(scene),
  ];
}
