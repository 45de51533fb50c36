// One tab: its account, the news of all tabs, and the buttons.
import { AccessTokenError } from '@unexpired/core';
import { createAccount, type Account } from './account.ts';
import { apply, emptyBoard, isSignedIn, type Board, type News } from './board.ts';
import type { Control, ControlAnswer, Settings } from './protocol.ts';
import { gone, openChannel, takeLetter } from './tabs.ts';
import { createView } from './view.ts';

const REQUEST_MS = 1000;
const TICK_MS = 100;
const STORM = 25;

/** News without its sender and its time. */
type Fresh<N = News> = N extends News ? Omit<N, 'tab' | 'at'> : never;

const self = await takeLetter();
const settings = (await (await fetch('/demo/settings')).json()) as Settings;
const view = createView(self);
let board: Board = emptyBoard;
const channel = openChannel<News>(hear);

/** To this tab's board and to all others. */
function tell(fresh: Fresh): void {
  const news = { tab: self, at: Date.now(), ...fresh } as News;
  board = apply(board, news);
  channel.send(news);
}

function meet(tab: string): void {
  void gone(tab).then(() => {
    board = apply(board, { type: 'gone', tab, at: Date.now() });
  });
}

function hear(news: News): void {
  const isNew = !(news.tab in board.lanes);
  board = apply(board, news);
  if (isNew) meet(news.tab);
  if (news.type === 'opened') tell({ type: 'lane', lane: board.lanes[self]! });
  if (news.type === 'storm') void storm();
}

async function control(name: Control): Promise<ControlAnswer> {
  const response = await fetch(`/demo/${name}`, { method: 'POST' });
  const answer = (await response.json()) as ControlAnswer;
  tell({ type: 'facts', facts: answer.facts });
  return answer;
}

async function move(name: Control, text: string): Promise<void> {
  await control(name);
  tell({ type: 'note', text });
}

const account: Account = createAccount(settings, {
  onEvent(event) {
    // First what the tab has now, then how it came by it.
    announceStatus();
    tell({ type: 'event', event });
    if (/^refresh(?:ed|-failed)$/.test(event.type)) void control('look').catch(() => undefined);
  },
  onLock: (step) => tell({ type: 'lock', step }),
  onRefusal: () => tell({ type: 'request', outcome: 'refused' }),
});

async function send(): Promise<boolean> {
  try {
    const response = await account.authFetch(`${settings.api}/things`);
    const why = `HTTP ${response.status}`;
    tell({ type: 'request', ...(response.ok ? { outcome: 'answered' } : { outcome: 'failed', why }) });
    return response.ok;
  } catch (error) {
    const why = error instanceof AccessTokenError ? error.code : String(error);
    tell({ type: 'request', outcome: 'failed', why });
    return false;
  }
}

async function storm(): Promise<void> {
  const answers = await Promise.all(Array.from({ length: STORM }, send));
  const answered = answers.filter(Boolean).length;
  tell({ type: 'note', text: `weathered the storm: ${answered} of ${STORM} requests answered` });
}

const actions: Readonly<Record<string, () => unknown>> = {
  async 'sign-in'() {
    const { tokens } = await control('sign-in');
    await account.tokens.signIn(tokens!);
  },
  'sign-out': () => account.tokens.signOut(),
  storm() {
    tell({ type: 'storm' });
    return storm();
  },
  revoke: () => move('revoke', 'revoked the access token'),
  break: () => move('break', 'broke the token endpoint'),
  mend: () => move('mend', 'mended the token endpoint'),
};

async function act(name: string): Promise<void> {
  try {
    await actions[name]!();
  } catch (error) {
    tell({ type: 'note', text: `${name} failed: ${String(error)}` });
  }
}

let told: unknown;

/** The status is the same object as long as nothing changed. */
function announceStatus(): void {
  const status = account.tokens.status();
  if (status === told) return;
  told = status;
  const { accessToken, refreshing, health, expiresAt, generation, fingerprint } = status;
  tell({ type: 'status', status: { accessToken, refreshing, health, expiresAt, generation, fingerprint } });
}

tell({ type: 'opened' });
for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-action]')) {
  button.addEventListener('click', () => void act(button.dataset['action']!));
}
const traffic = document.querySelector<HTMLInputElement>('#traffic')!;
setInterval(() => {
  if (traffic.checked && isSignedIn(account.tokens.status())) void send();
}, REQUEST_MS);
setInterval(() => {
  announceStatus();
  view.show(board);
  view.tick(Date.now());
}, TICK_MS);

void control('look');
// Reads the store: another tab may have signed in. Without a sign-in there is nothing to send.
await account.tokens.getAccessToken().catch(() => undefined);
