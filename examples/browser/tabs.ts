// Tabs know each other: each has a letter, which is a lock that it holds until it ends, however it ends.
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

const lockOf = (letter: string): string => `demo tab ${letter}`;

/** Whether the lock was free; then this tab keeps it. */
function keep(lock: string): Promise<boolean> {
  return new Promise((resolve) => {
    void navigator.locks.request(lock, { ifAvailable: true }, (granted) => {
      resolve(granted !== null);
      return granted === null ? undefined : new Promise(() => undefined);
    });
  });
}

export async function takeLetter(): Promise<string> {
  for (const letter of LETTERS) if (await keep(lockOf(letter))) return letter;
  throw new Error('There is a tab for each letter already.');
}

/** Resolves when the tab with that letter was closed, crashed, or went to another page. */
export async function gone(letter: string): Promise<void> {
  await navigator.locks.request(lockOf(letter), () => undefined);
}

export interface Channel<Message> {
  /** To all other tabs. */
  readonly send: (message: Message) => void;
}

export function openChannel<Message>(onMessage: (message: Message) => void): Channel<Message> {
  const channel = new BroadcastChannel('demo');
  channel.onmessage = ({ data }) => onMessage(data as Message);
  return { send: (message) => channel.postMessage(message) };
}
