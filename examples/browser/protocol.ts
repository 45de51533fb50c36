import type { TokenResponse } from '@unexpired/core';

/** Where the page finds its servers. */
export interface Settings {
  readonly api: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string;
}

/** What the authorization server saw and does. */
export interface Facts {
  /** Refresh tokens that were presented to it. */
  readonly presented: number;
  /** Those of them that were spent already. */
  readonly reused: number;
  readonly isBroken: boolean;
}

/** What the buttons of the page ask of the servers. */
export type Control = 'look' | 'sign-in' | 'revoke' | 'break' | 'mend';

export interface ControlAnswer {
  readonly facts: Facts;
  /** Of a sign-in. */
  readonly tokens?: TokenResponse | undefined;
}
