/** Tells the other tabs that a record changed, and nothing of what is in it. */
export interface Hints {
  announce(account: string): void;
  /** Returns what ends it, which may be called twice. */
  listen(account: string, onChange: () => void): () => void;
}

interface Followed {
  readonly listeners: Set<{ readonly onChange: () => void }>;
  /** Undefined where there are none, and while the page lies in the back/forward cache: a message would end it there. */
  channel: BroadcastChannel | undefined;
}

function tell({ listeners }: Followed): void {
  for (const { onChange } of listeners) {
    try {
      onChange();
    } catch {
      // The others are told all the same.
    }
  }
}

function post(name: string, own: BroadcastChannel | undefined): void {
  try {
    const channel = own ?? new BroadcastChannel(name);
    channel.postMessage('changed');
    if (own === undefined) channel.close();
  } catch {
    // It is written: hints are never relied on.
  }
}

export function createHints(nameOf: (account: string) => string): Hints {
  const accounts = new Map<string, Followed>();

  function open(account: string, followed: Followed): void {
    try {
      followed.channel ??= new BroadcastChannel(nameOf(account));
      followed.channel.onmessage = () => tell(followed);
    } catch {
      // Hints are never relied on.
    }
  }

  function close(followed: Followed): void {
    followed.channel?.close();
    followed.channel = undefined;
  }

  const onHide = (): void => accounts.forEach(close);
  const onShow = (): void =>
    accounts.forEach((followed, account) => {
      if (followed.channel !== undefined) return;
      open(account, followed);
      // Nobody knows what happened meanwhile.
      tell(followed);
    });

  function follow(account: string): Followed {
    if (accounts.size === 0) {
      addEventListener('pagehide', onHide);
      addEventListener('pageshow', onShow);
    }
    const followed: Followed = { listeners: new Set(), channel: undefined };
    accounts.set(account, followed);
    return followed;
  }

  function unfollow(account: string, followed: Followed): void {
    close(followed);
    accounts.delete(account);
    if (accounts.size > 0) return;
    removeEventListener('pagehide', onHide);
    removeEventListener('pageshow', onShow);
  }

  return {
    announce(account) {
      // A channel does not hear itself: what this page wrote is no news to it.
      post(nameOf(account), accounts.get(account)?.channel);
    },
    listen(account, onChange) {
      const followed = accounts.get(account) ?? follow(account);
      const listener = { onChange };
      followed.listeners.add(listener);
      open(account, followed);
      return () => {
        if (followed.listeners.delete(listener) && followed.listeners.size === 0) unfollow(account, followed);
      };
    },
  };
}
