import type { RefreshFunction } from '@unexpired/core';
import { afterEach } from '@jest/globals';
import {
  createAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '@unexpired/testing';

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Closes it after the test. */
export function closing<T extends { close(): Promise<void> }>(closable: T): T {
  closers.push(() => closable.close());
  return closable;
}

/** An authorization server that is closed after the test. */
export async function startServer(options?: AuthorizationServerOptions): Promise<AuthorizationServer> {
  return closing(await createAuthorizationServer(options));
}

/** One call as core makes it. */
export async function call(
  refresh: RefreshFunction,
  refreshToken?: string,
  signal = new AbortController().signal,
): Promise<Response> {
  return (await refresh({ refreshToken, tokens: undefined, signal, attempt: 1 })) as Response;
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('It was not rejected.');
    },
    (error: unknown) => error,
  );
}

/** The form that was to be sent. */
export function textOf({ body }: RequestInit): string {
  return (body as URLSearchParams).toString();
}
