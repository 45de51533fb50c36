// Draws two recordings above each other. What a colour says, a shape or a word says too.
import { API_MS, EXCHANGE_MS, LIFETIME_MS } from './record.mjs';

const WIDTH = 760;
const LEFT = 122;
const RIGHT = 746;
const FROM_MS = 40_000;
const TO_MS = 70_000;
const PANEL = 196;
const TOP = 34;

const x = (ms) =>
  Math.round(
    (LEFT + ((Math.min(Math.max(ms, FROM_MS), TO_MS) - FROM_MS) / (TO_MS - FROM_MS)) * (RIGHT - LEFT)) * 10,
  ) / 10;
const seconds = (ms) => `${ms / 1000} s`;

// The attributes are for light mode and for viewers without CSS; the style sheet turns them around in the dark.
const PAINTS = {
  back: ['#ffffff', '#0d1117'],
  ink: ['#1f2328', '#e6edf3'],
  soft: ['#59636e', '#9198a1'],
  line: ['#d1d9e0', '#3d444d'],
  good: ['#0969da', '#58a6ff'],
  bad: ['#bc4c00', '#f0883e'],
};
const fill = (paint) => `class="f-${paint}" fill="${PAINTS[paint][0]}"`;
const stroke = (paint) => `class="s-${paint}" fill="none" stroke="${PAINTS[paint][0]}"`;

function styles() {
  const rules = Object.entries(PAINTS).map(
    ([name, [, dark]]) => `.f-${name}{fill:${dark}}.s-${name}{stroke:${dark}}`,
  );
  return `<style>@media (prefers-color-scheme:dark){${rules.join('')}}</style>`;
}

function text(at, words, { paint = 'ink', anchor = 'start', more = '' } = {}) {
  return `<text x="${at[0]}" y="${at[1]}" text-anchor="${anchor}" ${fill(paint)}${more && ` ${more}`}>${words}</text>`;
}

function bar([from, to], y, paint) {
  return `<rect x="${x(from)}" y="${y}" width="${Math.round((x(to) - x(from)) * 10) / 10}" height="10" ${fill(paint)}/>`;
}

function outline([from, to], y, paint) {
  const width = Math.round((x(to) - x(from) - 1) * 10) / 10;
  return `<rect x="${x(from) + 0.5}" y="${y + 0.5}" width="${width}" height="13" stroke-dasharray="3 2" ${stroke(paint)}/>`;
}

function inWords([from, to], { y, words, paint }) {
  return text([(x(from) + x(to)) / 2, y], words, { paint, anchor: 'middle', more: 'font-size="10"' });
}

/** Which access token is at hand: its frame is dashed once it has expired. */
function tokenRow({ exchanges: [exchange] }, y) {
  const ends = Math.min(exchange.answeredAt, LIFETIME_MS);
  const first = [FROM_MS, ends];
  const second = [exchange.answeredAt, TO_MS];
  const frames = [first, second].map(
    (when) =>
      `<rect x="${x(when[0]) + 0.5}" y="${y + 0.5}" width="${Math.round((x(when[1]) - x(when[0]) - 1) * 10) / 10}" height="13" ${stroke('good')}/>`,
  );
  const parts = [
    ...frames,
    inWords(first, { y: y + 11, words: 'first' }),
    inWords(second, { y: y + 11, words: 'second' }),
  ];
  if (exchange.answeredAt > LIFETIME_MS) {
    const late = [LIFETIME_MS, exchange.answeredAt];
    parts.push(outline(late, y, 'bad'), inWords(late, { y: y + 11, words: 'expired' }));
  }
  return parts;
}

function exchangeRow({ exchanges }, y) {
  return exchanges.flatMap(({ arrivedAt, answeredAt }) => [
    bar([arrivedAt, answeredAt], y, 'soft'),
    text([x(answeredAt) + 4, y + 9], `one exchange, ${seconds(answeredAt - arrivedAt)}`, {
      more: 'font-size="10"',
    }),
  ]);
}

function mark({ answeredAt, status }, y) {
  const [left, middle] = [x(answeredAt), y + 5];
  if (status !== 401) return `<circle cx="${left}" cy="${middle}" r="3" ${fill('good')}/>`;
  const cross = `M${left - 4} ${middle - 4}l8 8m0 -8l-8 8`;
  return `<path d="${cross}" stroke-width="2" ${stroke('bad')}/>`;
}

/** Replays are answered at the same moment: below each other. */
function answerRow(calls, y) {
  const seen = new Map();
  return calls
    .flatMap(({ attempts }) => attempts)
    .filter(({ answeredAt }) => answeredAt >= FROM_MS && answeredAt <= TO_MS)
    .map((attempt) => {
      const level = seen.get(attempt.answeredAt) ?? 0;
      seen.set(attempt.answeredAt, level + 1);
      return mark(attempt, y + level * 8);
    });
}

const waited = ({ startedAt, endedAt }) => endedAt - startedAt;

function callRow(calls, y) {
  const ends = [];
  return calls
    .filter(({ startedAt }) => startedAt >= FROM_MS)
    .flatMap((call) => {
      const free = ends.findIndex((endedAt) => endedAt <= call.startedAt);
      const lane = free === -1 ? ends.length : free;
      ends[lane] = call.endedAt;
      const top = y + lane * 13;
      const took = [call.startedAt, call.endedAt];
      if (call.attempts.length === 1) return [bar(took, top, 'good')];
      return [
        bar(took, top, 'bad'),
        inWords(took, { y: top + 9, words: seconds(waited(call)), paint: 'back' }),
      ];
    });
}

/** What the picture shows, in words and from the recording alone. */
export function tell({ calls, exchanges }) {
  const refused = calls.filter(({ attempts }) => attempts.some(({ status }) => status === 401)).length;
  const longest = Math.max(...calls.map(waited));
  const failed = calls.filter(({ status }) => status !== 200).length;
  const [{ arrivedAt }] = exchanges;
  return {
    refused: `${refused} of ${calls.length} calls refused first`,
    longest: `longest call ${seconds(longest)}`,
    refresh: `${exchanges.length} refresh, begun at ${seconds(arrivedAt)}`,
    failed: `${failed} failed`,
  };
}

function panel({ heading, recording }, top) {
  const { refused, longest, refresh, failed } = tell(recording);
  const rows = [
    ['access token', 22, tokenRow(recording, top + 22)],
    ['token endpoint', 48, exchangeRow(recording, top + 50)],
    ['answers of the API', 74, answerRow(recording.calls, top + 76)],
    ['your calls', 112, callRow(recording.calls, top + 114)],
  ];
  const summary = `${refused} · ${longest} · ${refresh} · ${failed}`;
  return [
    text([10, top + 8], `<tspan font-weight="bold">${heading}</tspan>`),
    text([LEFT, top + 170], summary, { more: 'font-size="11"' }),
    `<path d="M${x(LIFETIME_MS)} ${top - 10}v164" stroke-dasharray="2 3" ${stroke('ink')}/>`,
    ...rows.flatMap(([name, y, shapes]) => [text([10, top + y + 11], name, { paint: 'soft' }), ...shapes]),
  ];
}

function axis(bottom) {
  const ticks = Array.from({ length: (TO_MS - FROM_MS) / 5000 + 1 }, (_, i) => FROM_MS + i * 5000);
  return [
    text([x(LIFETIME_MS), TOP - 16], 'the first access token expires', {
      anchor: 'middle',
      more: 'font-size="11"',
    }),
    `<path d="M${LEFT} ${bottom - 10}H${RIGHT}" ${stroke('line')}/>`,
    ...ticks.map((ms) =>
      text([x(ms), bottom + 4], seconds(ms), {
        paint: 'soft',
        anchor: ms === TO_MS ? 'end' : 'middle',
        more: 'font-size="11"',
      }),
    ),
  ];
}

function legend(y) {
  const words = { paint: 'soft', more: 'font-size="11"' };
  return [
    mark({ answeredAt: FROM_MS, status: 200 }, y),
    text([LEFT + 8, y + 9], '200', words),
    mark({ answeredAt: FROM_MS + 2600, status: 401 }, y),
    text(
      [LEFT + 64, y + 9],
      '401 · each bar is a call from its start to its end; those that were refused first say how long they took',
      words,
    ),
  ];
}

function describe({ heading, recording }) {
  const { refused, longest, refresh, failed } = tell(recording);
  return `${heading}: ${refused}, ${longest}, ${refresh}, ${failed}.`;
}

/** @param sides `{ heading, recording }`, two of them, from top to bottom */
export function draw(sides) {
  const bottom = TOP + PANEL * sides.length;
  const height = bottom + 34;
  const body = [
    `<rect width="${WIDTH}" height="${height}" ${fill('back')}/>`,
    ...axis(bottom),
    ...sides.flatMap((side, i) => panel(side, TOP + i * PANEL)),
    ...legend(bottom + 14),
  ];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title desc" font-family="ui-sans-serif, system-ui, sans-serif" font-size="12">`,
    '<title id="title">One expiry of an access token, without and with the library</title>',
    `<desc id="desc">One call a second; access tokens live ${seconds(LIFETIME_MS)}; the token endpoint takes ${seconds(EXCHANGE_MS)}, the API ${seconds(API_MS)}. ${sides.map(describe).join(' ')}</desc>`,
    styles(),
    ...body,
    '</svg>',
  ].join('\n')}\n`;
}
