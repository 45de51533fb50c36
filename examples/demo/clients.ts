import type { IncomingMessage } from 'node:http';
import type { TokenResponse, TokenStore } from '@unexpired/core';
import type { AuthFetch } from '@unexpired/fetch';
import type { AxiosInstance } from 'axios';
import type { Got } from 'got';
import type { KyInstance } from 'ky';

export const CLIENTS = ['axios', 'ky', 'got', 'fetch'] as const;
export type ClientName = (typeof CLIENTS)[number];

export interface Clients {
  readonly axios: AxiosInstance;
  readonly ky: KyInstance;
  readonly got: Got;
  readonly fetch: AuthFetch;
}

/** The four clients over one sign-in, whoever keeps its access token. */
export interface Connection {
  readonly clients: Clients;
  /** A person signed in, for the first time or again. */
  readonly signIn: (tokens: TokenResponse) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Where the clients are sent. */
export interface Place {
  readonly issuer: string;
  readonly clientId: string;
  readonly api: string;
  /** Where the sign-in is kept. @default in memory */
  readonly store?: TokenStore;
}

export type Connect = (place: Place) => Connection;

/** The header that tells the servers which client a request came through. */
export const VIA = 'x-via';

export function clientOf({ headers }: IncomingMessage): ClientName | undefined {
  return CLIENTS.find((name) => name === headers[VIA]);
}
