import type { TokenResponse } from '@unexpired/core';
import type { Connect, Place } from './clients.ts';
import { fixedSenders, sendersOf, type Senders } from './requests.ts';

/** Whoever uses the four clients, in this process or in several. */
export interface Callers {
  readonly senders: Senders;
  /** With a token that does not expire. */
  readonly fixed: Senders;
  /** A person signed in, for the first time or again. */
  readonly signIn: (tokens: TokenResponse) => Promise<void>;
  readonly close: () => Promise<void>;
}

export type OpenCallers = (place: Place, staticToken: string) => Promise<Callers>;

export function callersHere(connect: Connect): OpenCallers {
  return async (place, staticToken) => {
    const { clients, signIn, close } = connect(place);
    return { senders: sendersOf(clients), fixed: fixedSenders(staticToken), signIn, close };
  };
}
