import type { CredentialRecord, RefreshFunction, TokenStore } from '@unexpired/core';
import { PROCESS_HEADER, type RaceOrder, type RacePoint } from './race-protocol.ts';

/** The delay points of one process. */
export interface Points {
  hold(point: RacePoint): void;
  release(point: RacePoint): void;
  /** Tells that the process is there, and waits if the point is held. */
  reach(point: RacePoint): Promise<void>;
}

export function createPoints(tell: (point: RacePoint, held: boolean) => void): Points {
  const held = new Map<RacePoint, PromiseWithResolvers<void>>();
  return {
    hold(point) {
      held.set(point, Promise.withResolvers());
    },
    release(point) {
      held.get(point)?.resolve();
      held.delete(point);
    },
    async reach(point) {
      const barrier = held.get(point);
      tell(point, barrier !== undefined);
      await barrier?.promise;
    },
  };
}

/** The new tokens of an exchange: what follows a claim of this process. */
function isCommit(record: CredentialRecord, claimed: CredentialRecord | undefined): boolean {
  return record.claim === undefined && record.claimRevision === claimed?.revision;
}

/** The store under test, with delay points around its writes. */
export function watchStore(store: TokenStore, points: Points, unlocked: boolean): TokenStore {
  const section = { signal: new AbortController().signal, clock: undefined };
  let claimed: CredentialRecord | undefined;
  return {
    read: (account) => store.read(account),
    async write(account, record, expected) {
      const commits = claimed !== undefined && isCommit(record, claimed);
      if (commits) await points.reach('committing');
      const written = await store.write(account, record, expected);
      if (!written) return false;
      if (record.claim !== undefined) {
        claimed = record;
        await points.reach('claimed');
      }
      if (commits) await points.reach('committed');
      return true;
    },
    runExclusive: (account, task, signal) =>
      unlocked ? task(section) : store.runExclusive(account, task, signal),
    subscribe: (account, onChange) => store.subscribe(account, onChange),
  };
}

/** The refresh grant over fetch, with delay points before and after. */
export function watchRefresh(order: RaceOrder, points: Points): RefreshFunction {
  return async ({ refreshToken = '', signal }) => {
    await points.reach('sent');
    const response = await fetch(order.tokenEndpoint, {
      method: 'POST',
      headers: { [PROCESS_HEADER]: order.name },
      body: new URLSearchParams({
        ...order.parameters,
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
      }),
      signal,
    });
    const text = await response.text();
    await points.reach('answered');
    const { status, headers } = response;
    return new Response(text, { status, headers });
  };
}
