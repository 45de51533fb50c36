import type { TokenResponse } from '@unexpired/core';
import type { AuthFetch } from '@unexpired/fetch';
import type { AxiosInstance } from 'axios';

/** Where the clients are sent. */
export interface Place {
  readonly issuer: string;
  readonly clientId: string;
  readonly api: string;
}

/** axios and fetch over one sign-in, whoever keeps its access token. */
export interface Clients {
  readonly axios: AxiosInstance;
  readonly fetch: AuthFetch;
  /** A person signed in, again. */
  signIn(tokens: TokenResponse): Promise<void>;
  close(): Promise<void>;
}

export type Connect = (place: Place, tokens: TokenResponse) => Clients;
