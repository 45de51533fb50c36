// All that the page shows, as data. `apply` is pure: the board and a piece of news in, the next board out.
import type { EventType, TokenEvent, TokenSourceStatus } from '@unexpired/core';
import type { LockStep } from './account.ts';
import type { Facts } from './protocol.ts';
import { sentenceOf, type LineKind } from './words.ts';

export type LaneStatus = Pick<
  TokenSourceStatus,
  'accessToken' | 'refreshing' | 'health' | 'expiresAt' | 'generation' | 'fingerprint'
>;

export type Outcome = 'answered' | 'refused' | 'failed';

/** Where a tab has its access token from. */
export type Origin = 'signed-in' | 'refreshed' | 'adopted';

export interface TokenSpan {
  readonly from: number;
  /** Undefined while it is the tab's token. */
  readonly to: number | undefined;
  readonly expiresAt: number | undefined;
  readonly generation: number;
  readonly fingerprint: string;
  readonly origin: Origin;
}

export interface LockSpan {
  readonly askedAt: number;
  readonly heldAt: number | undefined;
  readonly freedAt: number | undefined;
}

/** Requests of one moment that ended in the same way. */
export interface Mark {
  readonly at: number;
  readonly outcome: Outcome;
  readonly count: number;
}

export interface Counts {
  readonly answered: number;
  readonly refused: number;
  readonly failed: number;
  readonly refreshed: number;
  readonly adopted: number;
}

/** What is known of one tab. */
export interface Lane {
  readonly status: LaneStatus | undefined;
  readonly tokens: readonly TokenSpan[];
  readonly locks: readonly LockSpan[];
  readonly marks: readonly Mark[];
  readonly counts: Counts;
}

export interface Line {
  readonly at: number;
  readonly tab: string;
  readonly kind: LineKind;
  readonly text: string;
  readonly count: number;
}

export interface Board {
  readonly lanes: Readonly<Record<string, Lane>>;
  /** The newest first. */
  readonly log: readonly Line[];
  readonly facts: Facts;
}

/** What tabs tell each other. Nothing in it is secret: events and statuses have no tokens. */
export type News = { readonly tab: string; readonly at: number } & (
  | { readonly type: 'opened' }
  | { readonly type: 'gone' }
  /** To a tab that opened later. */
  | { readonly type: 'lane'; readonly lane: Lane }
  | { readonly type: 'status'; readonly status: LaneStatus }
  | { readonly type: 'event'; readonly event: TokenEvent }
  | { readonly type: 'lock'; readonly step: LockStep }
  | { readonly type: 'request'; readonly outcome: Outcome; readonly why?: string }
  | { readonly type: 'facts'; readonly facts: Facts }
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'storm' }
);

const SHOWN_MS = 60_000;
const LINES = 80;
/** Marks, and lines, that are closer than this are one with a number. Those of trouble are wider than the others. */
const SAME_MARK_MS: Readonly<Record<Outcome, number>> = { answered: 800, refused: 2500, failed: 2500 };
const SAME_LINE_MS = 1500;

const emptyLane: Lane = {
  status: undefined,
  tokens: [],
  locks: [],
  marks: [],
  counts: { answered: 0, refused: 0, failed: 0, refreshed: 0, adopted: 0 },
};

export const emptyBoard: Board = {
  lanes: {},
  log: [],
  facts: { presented: 0, reused: 0, isBroken: false },
};

function withLast<T>(list: readonly T[], change: (last: T) => T): T[] {
  return list.map((item, index) => (index === list.length - 1 ? change(item) : item));
}

function countOne(lane: Lane, name: keyof Counts): Lane {
  return { ...lane, counts: { ...lane.counts, [name]: lane.counts[name] + 1 } };
}

/** Or nobody is, or a person has to sign in again, whatever access token is left. */
export function isSignedIn({ accessToken, health }: LaneStatus): boolean {
  return accessToken !== 'none' && health !== 'signed-out' && health !== 'rejected' && health !== 'disabled';
}

/** A token that no event explained was found in the store. */
function seeStatus(lane: Lane, status: LaneStatus, at: number): Lane {
  const last = lane.tokens.at(-1);
  const held = isSignedIn(status) ? status.fingerprint : undefined;
  if (last?.fingerprint === held && last?.to === undefined) return { ...lane, status };
  const ended = withLast(lane.tokens, (token) => ({ ...token, to: token.to ?? at }));
  if (held === undefined) return { ...lane, status, tokens: ended };
  const { expiresAt, generation } = status;
  const token = {
    from: at,
    to: undefined,
    expiresAt,
    generation,
    fingerprint: held,
    origin: 'adopted',
  } as const;
  return { ...lane, status, tokens: [...ended, token] };
}

const ORIGINS: Partial<Record<EventType, Origin>> = {
  'signed-in': 'signed-in',
  refreshed: 'refreshed',
  adopted: 'adopted',
};

function seeEvent(lane: Lane, { type, fingerprint }: TokenEvent): Lane {
  const counted = type === 'refreshed' || type === 'adopted' ? countOne(lane, type) : lane;
  const origin = ORIGINS[type];
  if (origin === undefined || lane.tokens.at(-1)?.fingerprint !== fingerprint) return counted;
  return { ...counted, tokens: withLast(lane.tokens, (token) => ({ ...token, origin })) };
}

function seeLock(lane: Lane, step: LockStep, at: number): Lane {
  const { locks } = lane;
  if (step === 'asked') {
    return { ...lane, locks: [...locks, { askedAt: at, heldAt: undefined, freedAt: undefined }] };
  }
  const change = step === 'held' ? { heldAt: at } : { freedAt: at };
  return { ...lane, locks: withLast(locks, (lock) => ({ ...lock, ...change })) };
}

function seeRequest(lane: Lane, outcome: Outcome, at: number): Lane {
  const counted = countOne(lane, outcome);
  const index = lane.marks.findLastIndex((mark) => mark.outcome === outcome);
  const last = lane.marks[index];
  if (last === undefined || at - last.at > SAME_MARK_MS[outcome]) {
    return { ...counted, marks: [...lane.marks, { at, outcome, count: 1 }] };
  }
  return { ...counted, marks: lane.marks.with(index, { ...last, count: last.count + 1 }) };
}

/** What has left the picture is not kept. */
function trim(lane: Lane, at: number): Lane {
  const since = at - SHOWN_MS;
  return {
    ...lane,
    tokens: lane.tokens.filter(({ to = at }) => to > since),
    locks: lane.locks.filter(({ freedAt = at }) => freedAt > since),
    marks: lane.marks.filter((mark) => mark.at > since),
  };
}

function nextLane(lane: Lane, news: News): Lane {
  switch (news.type) {
    case 'lane':
      return news.lane;
    case 'status':
      return trim(seeStatus(lane, news.status, news.at), news.at);
    case 'event':
      return seeEvent(lane, news.event);
    case 'lock':
      return seeLock(lane, news.step, news.at);
    case 'request':
      return trim(seeRequest(lane, news.outcome, news.at), news.at);
    case 'opened':
      return emptyLane;
    default:
      return lane;
  }
}

function nextLog(log: readonly Line[], news: News): readonly Line[] {
  const sentence = sentenceOf(news);
  if (sentence === undefined) return log;
  const { tab, at } = news;
  const index = log.findIndex(
    (line) => line.tab === tab && line.text === sentence.text && at - line.at < SAME_LINE_MS,
  );
  const same = log[index];
  if (same !== undefined) return log.with(index, { ...same, count: same.count + 1 });
  return [{ tab, at, count: 1, ...sentence }, ...log].slice(0, LINES);
}

function nextLanes(lanes: Board['lanes'], news: News): Board['lanes'] {
  const { [news.tab]: lane = emptyLane, ...others } = lanes;
  if (news.type === 'gone') return others;
  const next = nextLane(lane, news);
  return next === lane && news.tab in lanes ? lanes : { ...lanes, [news.tab]: next };
}

export function apply(board: Board, news: News): Board {
  return {
    lanes: nextLanes(board.lanes, news),
    log: nextLog(board.log, news),
    facts: news.type === 'facts' ? news.facts : board.facts,
  };
}

/** The letters of the tabs that hold the lock: one, unless something is very wrong. */
export function holdersOf({ lanes }: Board): string[] {
  return Object.keys(lanes).filter((tab) => {
    const last = lanes[tab]?.locks.findLast(({ heldAt }) => heldAt !== undefined);
    return last !== undefined && last.freedAt === undefined;
  });
}
