import type { IssuedToken } from './issuance.ts';
import { latencyText, numberText, secondsText } from './report.ts';
import { since, type Tally } from './tally.ts';
import type { Latencies } from './steady.ts';

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
  readonly latencies: Latencies;
  /** The tally at regular moments. */
  readonly history: readonly Tally[];
}

/** What may be painted; without colours it is the text itself. */
export type Paint = (style: 'bold' | 'dim' | 'good' | 'bad', text: string) => string;

const MARK = { 'to come': '[ ]', running: '[>]', kept: '[x]', BROKEN: '[!]' } as const;
const STYLE = { 'to come': 'dim', running: 'bold', kept: 'good', BROKEN: 'bad' } as const;

function chapterLine({ title, state, ms }: ChapterState, paint: Paint): string {
  const time = state === 'to come' ? '' : secondsText(ms);
  const word = state === 'running' ? '' : state;
  return paint(STYLE[state], `${MARK[state]} ${title.padEnd(50)}${word.padStart(9)}${time.padStart(7)}`);
}

const BAR = 40;

/** How much of the newest access token's life is left. */
function tokenLine({ token, now }: Scene): string {
  const left = Math.max(0, token.issuedAt + token.lifetimeMs - now);
  const cells = Math.round((BAR * left) / Math.max(1, token.lifetimeMs));
  const bar = '#'.repeat(cells).padEnd(BAR, '.');
  const text = left > 0 ? `${secondsText(left)} left` : 'expired';
  return `access token${`#${token.generation}`.padStart(5)}  [${bar}] ${text}`;
}

function pair(left: [string, string], right: [string, string]): string {
  return `${left[0].padEnd(22)}${left[1].padStart(13)}     ${right[0].padEnd(24)}${right[1].padStart(10)}`;
}

function numbers({ tally, latencies }: Scene, paint: Paint): string[] {
  const zero = (count: number, line: string): string => (count === 0 ? line : paint('bad', line));
  return [
    pair(
      ['requests by callers', numberText(tally.requests)],
      ['401s the API sent', numberText(tally.refusals)],
    ),
    zero(
      tally.seenRefusals + tally.errors,
      pair(
        ['401s callers saw', numberText(tally.seenRefusals)],
        ['other errors they saw', numberText(tally.errors)],
      ),
    ),
    zero(
      tally.needless + tally.reuses,
      pair(['refreshes', numberText(tally.refreshes)], ['without a reason', numberText(tally.needless)]),
    ),
    zero(
      tally.differingBodies,
      pair(
        ['bodies compared', numberText(tally.bodies)],
        ['that differed', numberText(tally.differingBodies)],
      ),
    ),
    `steady reads, p50 / p99: ${latencyText(latencies.kept)}; with a static token: ${latencyText(latencies.fixed)}`,
  ];
}

const CELLS = 64;
const HEIGHTS = ' ▁▂▃▄▅▆▇█';

function height(count: number): string {
  // By the power of two: a burst of 1,000 and a trickle of 20 are both to be seen.
  return HEIGHTS[Math.min(HEIGHTS.length - 1, Math.ceil(Math.log2(count + 1)))]!;
}

function row(name: string, steps: readonly Tally[], cell: (step: Tally) => string): string {
  return `${name.padEnd(12)}  ${steps.map(cell).join('')}`.trimEnd();
}

/** What happened when: a column for each step of the history, the newest at the right. */
function timeline({ history }: Scene, paint: Paint): string[] {
  const all = history.slice(1).map((tally, index) => since(history[index]!, tally));
  const steps = all.slice(-CELLS);
  return [
    row('requests', steps, ({ requests }) => height(requests)),
    row('refreshes', steps, ({ refreshes }) => (refreshes > 0 ? 'R' : ' ')),
    row('API sent 401', steps, ({ refusals }) => (refusals > 0 ? '4' : ' ')),
    paint(
      'bad',
      row('callers saw', steps, ({ seenRefusals, errors }) =>
        seenRefusals > 0 ? '4' : errors > 0 ? '!' : ' ',
      ),
    ),
  ];
}

/** The lines of one moment, 80 columns wide at most. */
export function frameOf(scene: Scene, paint: Paint): string[] {
  const { title, ms, chapters } = scene;
  return [
    paint('bold', `${title.padEnd(67)}${secondsText(ms).padStart(7)}`),
    '',
    ...chapters.map((chapter) => chapterLine(chapter, paint)),
    '',
    tokenLine(scene),
    '',
    ...numbers(scene, paint),
    '',
    ...timeline(scene, paint),
  ];
}
