import { setTimeout as delay } from 'node:timers/promises';
import {
  createAuthorizationServer,
  createResourceServer,
  type AuthorizationServer,
} from '@unexpired/testing';
import type { Control, ControlAnswer, Settings } from './protocol.ts';

export interface Servers {
  readonly settings: Settings;
  readonly isControl: (name: string) => name is Control;
  readonly control: (name: Control) => Promise<ControlAnswer>;
  readonly close: () => Promise<void>;
}

/** Long enough for people to see who holds the lock. */
const EXCHANGE_MS = 700;

/** Each answer that the token endpoint holds is let go after a while. */
async function answerSlowly({ requestArrived, release }: AuthorizationServer): Promise<void> {
  for (let count = 1; ; count += 1) {
    await requestArrived(count);
    // What is left of this when the servers are closed does not keep the process.
    await delay(EXCHANGE_MS, undefined, { ref: false });
    release();
  }
}

/** An authorization server that ends the grant when a refresh token is presented twice, and an API. */
export async function startServers(lifetime: number): Promise<Servers> {
  const identity = await createAuthorizationServer({ cors: true, rotation: 'strict', expiresIn: lifetime });
  const api = await createResourceServer({ cors: true, accepts: identity.isAccessTokenValid });
  let isBroken = false;
  // Rejects when the server is closed.
  answerSlowly(identity).catch(() => undefined);

  function setBroken(broken: boolean): void {
    isBroken = broken;
    identity.always(broken ? { respond: { status: 503 } } : { hold: 'answer' });
  }
  setBroken(false);

  const controls: Record<Control, () => Promise<ControlAnswer['tokens']> | void> = {
    look: () => undefined,
    'sign-in': () => identity.signIn(),
    revoke: () => identity.revokeAccessTokens(),
    break: () => setBroken(true),
    mend: () => setBroken(false),
  };
  return {
    settings: {
      api: api.origin,
      tokenEndpoint: identity.tokenEndpoint,
      revocationEndpoint: identity.revocationEndpoint,
    },
    isControl: (name): name is Control => Object.hasOwn(controls, name),
    async control(name) {
      const tokens = (await controls[name]()) ?? undefined;
      const { presentations, reuses } = identity;
      return { facts: { presented: presentations.length, reused: reuses.length, isBroken }, tokens };
    },
    async close() {
      await Promise.all([identity.close(), api.close()]);
    },
  };
}
