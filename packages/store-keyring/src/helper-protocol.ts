import type { CredentialRecord } from '@unexpired/core';

/** What the helper process is started with. */
export interface HelperOrder {
  readonly service: string;
  readonly directory: string;
  readonly limit?: number | undefined;
}

export type HelperCall =
  | { readonly method: 'read'; readonly account: string }
  | {
      readonly method: 'write';
      readonly account: string;
      readonly record: CredentialRecord;
      /** Null is undefined, which JSON has not. */
      readonly expected: number | null | 'replace';
    };

/** `until`: epoch ms, from then on nobody waits for the answer. */
export type HelperRequest = HelperCall & { readonly id: number; readonly until: number };

export type HelperAnswer =
  | { readonly id: number; readonly result?: unknown }
  | { readonly id: number; readonly failure: string };
