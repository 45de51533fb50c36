// What the page says: a sentence for each piece of news, a word and a shape for each state.
import type { EventType, TokenEvent } from '@unexpired/core';
import type { LaneStatus, News } from './board.ts';

/** Each kind has a sign of its own. */
export type LineKind = 'signed-in' | 'refreshed' | 'adopted' | 'refused' | 'failed' | 'lock' | 'out' | 'note';

export const SIGNS: Readonly<Record<LineKind, string>> = {
  'signed-in': 'S',
  refreshed: 'R',
  adopted: 'A',
  refused: '✕',
  failed: '▲',
  lock: '',
  out: '□',
  note: '·',
};

export interface Sentence {
  readonly kind: LineKind;
  readonly text: string;
}

type Sentences = {
  readonly [T in EventType]: (event: Extract<TokenEvent, { type: T }>) => Sentence | undefined;
};

const silent = (): undefined => undefined;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const LEFT = {
  requested: 'signed out, here',
  elsewhere: 'signed out, by another tab',
  vanished: 'signed out: the store was emptied',
};

const SENTENCES: Sentences = {
  'refresh-started': ({ forced }) => ({
    kind: 'note',
    text: forced ? 'starts a refresh, because of a 401' : 'starts a refresh',
  }),
  refreshed: ({ generation }) => ({ kind: 'refreshed', text: `refreshed: access token #${generation}` }),
  adopted: ({ generation }) => ({
    kind: 'adopted',
    text: `adopted access token #${generation} from the store`,
  }),
  // What a person has to do is told by an event of its own.
  'refresh-failed': ({ code, retryAfterMs }) =>
    code === 'ERR_REAUTHENTICATION_REQUIRED'
      ? undefined
      : {
          kind: 'failed',
          text: `refresh failed: ${code}${retryAfterMs === undefined ? '' : `, next in ${seconds(retryAfterMs)}`}`,
        },
  rejected: () => ({ kind: 'failed', text: 'the refresh token was rejected' }),
  'reauthentication-required': () => ({ kind: 'out', text: 'a person has to sign in' }),
  'account-disabled': () => ({ kind: 'failed', text: 'the account is disabled' }),
  'signed-in': () => ({ kind: 'signed-in', text: 'signed in, here' }),
  'signed-out': ({ reason }) => ({ kind: 'out', text: LEFT[reason] }),
  persisted: silent,
  'persist-failed': ({ during }) => ({ kind: 'failed', text: `the store could not be written (${during})` }),
  'lock-contended': () => ({ kind: 'failed', text: 'waited for the lock for too long' }),
  replayed: () => ({ kind: 'note', text: 'sent a refused request again, with the new access token' }),
  'not-replayed': ({ reason }) => ({ kind: 'failed', text: `handed a 401 to its caller: ${reason}` }),
  'request-not-authorized': ({ reason }) => ({ kind: 'failed', text: `sent without a token: ${reason}` }),
  'fallback-used': () => ({ kind: 'note', text: 'sent with the fallback' }),
  'gate-opened': () => ({ kind: 'note', text: 'the API accepts access tokens again' }),
  'gate-closed': ({ durationMs }) => ({
    kind: 'failed',
    text: `the API refuses fresh access tokens; none is forced for ${seconds(durationMs)}`,
  }),
};

function sentenceOfEvent(event: TokenEvent): Sentence | undefined {
  return (SENTENCES[event.type] as (event: TokenEvent) => Sentence | undefined)(event);
}

/** Undefined: only the picture shows it. */
export function sentenceOf(news: News): Sentence | undefined {
  switch (news.type) {
    case 'opened':
      return { kind: 'note', text: 'opened' };
    case 'gone':
      return { kind: 'note', text: 'closed' };
    case 'note':
      return { kind: 'note', text: news.text };
    case 'storm':
      return { kind: 'note', text: 'calls for a storm: all tabs send at once' };
    case 'event':
      return sentenceOfEvent(news.event);
    case 'lock':
      return news.step === 'held' ? { kind: 'lock', text: 'holds the lock' } : undefined;
    case 'request':
      if (news.outcome === 'refused') return { kind: 'refused', text: 'request refused: 401' };
      return news.outcome === 'failed'
        ? { kind: 'failed', text: `request failed: ${news.why ?? 'no answer'}` }
        : undefined;
    default:
      return undefined;
  }
}

export interface Told {
  readonly shape: string;
  readonly word: string;
}

const FRESHNESS = {
  none: { shape: '□', word: 'signed out' },
  fresh: { shape: '●', word: 'fresh' },
  due: { shape: '◐', word: 'due' },
  expired: { shape: '○', word: 'expired' },
};

/** A state, told twice: by a shape and by a word. */
export function tellStatus(status: LaneStatus | undefined): Told {
  if (status === undefined) return { shape: '·', word: 'opening' };
  const { accessToken, health, refreshing } = status;
  if (refreshing) return { shape: '↻', word: `${FRESHNESS[accessToken].word}, refreshing` };
  if (health === 'signed-out') return FRESHNESS.none;
  if (health !== 'ok')
    return { shape: '▲', word: `${FRESHNESS[accessToken].word}, ${health.replace('-', ' ')}` };
  return FRESHNESS[accessToken];
}

export function tellLeft(status: LaneStatus | undefined, now: number): string {
  if (status?.expiresAt === undefined || status.accessToken === 'none') return '–';
  return seconds(Math.max(0, status.expiresAt - now));
}
