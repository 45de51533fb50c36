import type { TokenResponse } from '@unexpired/core';

/** An authorization server that somebody else made. */
export interface RealServer {
  readonly tokenEndpoint: string;
  /** What a client sends with each token request. */
  readonly parameters: Readonly<Record<string, string>>;
  /** First tokens, without a browser. */
  signIn(): Promise<TokenResponse>;
  /** Whether a resource server would take it. */
  accepts(accessToken: string): Promise<boolean>;
  close(): Promise<void>;
}
