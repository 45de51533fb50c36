// The board on the screen. Marks say when they were; the style sheet places them, so that a moment costs one property.
import {
  holdersOf,
  isSignedIn,
  type Board,
  type Counts,
  type Lane,
  type Line,
  type LockSpan,
  type Outcome,
} from './board.ts';
import { SIGNS, tellLeft, tellStatus, type LineKind } from './words.ts';

export interface View {
  readonly show: (board: Board) => void;
  /** Moves the time on. */
  readonly tick: (now: number) => void;
}

interface Times {
  readonly from: number;
  readonly to?: number | undefined;
}

const byId = (id: string): HTMLElement => document.querySelector<HTMLElement>(`#${id}`)!;

/** Seconds since the page began, as the style sheet counts. */
const secondsOf = (at: number): string => String((at - performance.timeOrigin) / 1000);

function make(className: string, data: Readonly<Record<string, string>>, text = ''): HTMLElement {
  const element = document.createElement('i');
  element.className = className;
  Object.assign(element.dataset, data);
  element.textContent = text;
  return element;
}

function place(element: HTMLElement, { from, to }: Times): HTMLElement {
  element.style.setProperty('--from', secondsOf(from));
  if (to !== undefined) element.style.setProperty('--to', secondsOf(to));
  return element;
}

function locksOf({ askedAt, heldAt, freedAt }: LockSpan): HTMLElement[] {
  const waiting = place(make('lock-asked', {}), { from: askedAt, to: heldAt ?? freedAt });
  if (heldAt === undefined) return [waiting];
  return [waiting, place(make('lock-held', {}), { from: heldAt, to: freedAt })];
}

function tokensOf({ tokens }: Lane): HTMLElement[] {
  return tokens.map(({ from, to, expiresAt, generation, origin }) => {
    const bar = place(make('token', { origin }), {
      from,
      to: Math.min(to ?? Infinity, expiresAt ?? Infinity),
    });
    bar.append(make('sign', {}, `${SIGNS[origin]} #${generation}`));
    return bar;
  });
}

function marksOf({ marks }: Lane, wanted: Outcome): HTMLElement[] {
  return marks
    .filter(({ outcome }) => outcome === wanted)
    .map(({ at, outcome, count }) => {
      const sign = outcome === 'answered' ? '' : SIGNS[outcome];
      return place(make('mark', { outcome }, `${sign}${count > 1 ? count : ''}`), { from: at });
    });
}

function createLane(tab: string, isSelf: boolean): HTMLElement {
  const template = document.querySelector<HTMLTemplateElement>('#lane')!;
  const element = template.content.firstElementChild!.cloneNode(true) as HTMLElement;
  element.dataset['tab'] = tab;
  element.classList.toggle('mine', isSelf);
  element.querySelector('.badge')!.textContent = tab;
  element.querySelector('h2')!.textContent = isSelf ? `Tab ${tab}, this one` : `Tab ${tab}`;
  return element;
}

function showLane(element: HTMLElement, lane: Lane): void {
  const part = (selector: string): HTMLElement => element.querySelector<HTMLElement>(selector)!;
  const { shape, word } = tellStatus(lane.status);
  part('.shape').textContent = shape;
  part('.word').textContent = word;
  part('.locks').replaceChildren(...lane.locks.flatMap(locksOf));
  part('.tokens').replaceChildren(...tokensOf(lane));
  for (const outcome of ['answered', 'refused', 'failed'] as const) {
    part(`.${outcome}`).replaceChildren(...marksOf(lane, outcome));
  }
  for (const count of element.querySelectorAll<HTMLElement>('[data-count]')) {
    count.textContent = String(lane.counts[count.dataset['count'] as keyof Counts]);
  }
}

function tickLane(element: HTMLElement, lane: Lane, now: number): void {
  const { status, tokens } = lane;
  const held = tokens.at(-1);
  const isUsable = held?.to === undefined && held?.expiresAt !== undefined;
  const part = isUsable ? (held.expiresAt - now) / (held.expiresAt - held.from) : 0;
  element.style.setProperty('--left', String(Math.min(1, Math.max(0, part))));
  element.querySelector('.figure')!.textContent = tellLeft(status, now);
}

/** As it is drawn in the timelines. */
function signOf(kind: LineKind): HTMLElement {
  const sign = SIGNS[kind];
  if (kind === 'refused' || kind === 'failed') return make('mark', { outcome: kind }, sign);
  if (kind === 'lock') return make('lock-held', {});
  if (kind === 'out' || kind === 'note') return make('plain', {}, sign);
  return make('token', { origin: kind }, sign);
}

function lineOf({ at, tab, kind, text, count }: Line): HTMLElement {
  const line = document.createElement('li');
  const time = document.createElement('time');
  time.textContent = new Date(at).toTimeString().slice(0, 8);
  const words = document.createElement('span');
  words.textContent = count > 1 ? `${text} (${count} times)` : text;
  const sign = signOf(kind);
  sign.ariaHidden = 'true';
  line.append(time, make('badge', {}, tab), sign, words);
  return line;
}

/** Lines that stay are not touched, so that who reads on further down keeps the place. */
function showLog(log: readonly Line[], known: WeakMap<Line, HTMLElement>): void {
  const list = byId('log');
  const wanted = log.map((line) => known.get(line) ?? lineOf(line));
  for (const line of list.querySelectorAll('li')) if (!wanted.includes(line)) line.remove();
  for (const [index, element] of wanted.entries()) {
    known.set(log[index]!, element);
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  }
}

/** What makes no sense now is off, and what a newcomer does next stands out. */
function showActions(isIn: boolean, tabs: number): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-action]')) {
    const { action = '' } = button.dataset;
    button.disabled = action === 'sign-in' ? isIn : /sign-out|revoke|storm/.test(action) && !isIn;
  }
  byId('sign-in').classList.toggle('next', !isIn);
  byId('open').classList.toggle('next', isIn && tabs === 1);
}

/** One button in the place of another, for the keyboard as well. */
function swap([from, to]: readonly [string, string]): void {
  const isFocused = document.activeElement === byId(from);
  byId(from).hidden = true;
  byId(to).hidden = false;
  if (isFocused) byId(to).focus();
}

function showTogether(board: Board, self: string): void {
  const { presented, reused, isBroken } = board.facts;
  const holders = holdersOf(board);
  byId('lock').textContent = holders.length === 0 ? 'free' : `held by ${holders.join(' and ')}`;
  byId('endpoint').textContent = isBroken ? '▲ broken: 503' : 'answers';
  byId('endpoint').classList.toggle('broken', isBroken);
  byId('presented').textContent = String(presented);
  byId('reused').textContent = String(reused);
  swap(isBroken ? ['break', 'mend'] : ['mend', 'break']);
  const status = board.lanes[self]?.status;
  const isIn = status !== undefined && isSignedIn(status);
  showActions(isIn, Object.keys(board.lanes).length);
  const told = `Tab ${self}: signed ${isIn ? 'in' : 'out'}${isBroken ? '; the token endpoint is broken' : ''}`;
  if (byId('told').textContent !== told) byId('told').textContent = told;
}

export function createView(self: string): View {
  const elements = new Map<string, HTMLElement>();
  const lines = new WeakMap<Line, HTMLElement>();
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  let shown: Board | undefined;
  byId('self').textContent = self;
  document.title = `Tab ${self} – one sign-in, several tabs`;

  function showLanes({ lanes }: Board): void {
    for (const [tab, element] of elements) {
      if (tab in lanes) continue;
      element.remove();
      elements.delete(tab);
    }
    for (const [tab, lane] of Object.entries(lanes)) {
      const element = elements.get(tab) ?? createLane(tab, tab === self);
      elements.set(tab, element);
      if (shown?.lanes[tab] !== lane) showLane(element, lane);
    }
    const wanted = [
      self,
      ...Object.keys(lanes)
        .filter((tab) => tab !== self)
        .sort(),
    ];
    const ordered = wanted.flatMap((tab) => elements.get(tab) ?? []);
    if (ordered.some((element, index) => byId('lanes').children[index] !== element)) {
      byId('lanes').replaceChildren(...ordered);
    }
  }

  return {
    show(board) {
      if (board === shown) return;
      showLanes(board);
      showTogether(board, self);
      if (board.log !== shown?.log) showLog(board.log, lines);
      shown = board;
    },
    tick(now) {
      // Where people want no motion, the picture goes on in steps of a second.
      const seconds = Number(secondsOf(now));
      byId('lanes').style.setProperty('--now', String(calm.matches ? Math.ceil(seconds) : seconds));
      for (const [tab, element] of elements) {
        const lane = shown?.lanes[tab];
        if (lane !== undefined) tickLane(element, lane, now);
      }
    },
  };
}
