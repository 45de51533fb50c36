import {
  createTokenSource,
  type AdapterOptions,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import { gotAuth } from '@unexpired/got';
import got, { type ExtendOptions, type Got, type HTTPError, type Request } from 'got';
import {
  afterwards,
  openWorld,
  refreshAt,
  rejectionOf,
  type World,
  type WorldOptions,
} from '../../../test/world.ts';

export interface SceneOptions extends WorldOptions {
  readonly adapter?: AdapterOptions;
  /** Attached before the adapter. */
  readonly before?: ExtendOptions;
  /** Attached after the adapter. */
  readonly after?: ExtendOptions;
}

export interface Scene extends World {
  /** With the adapter. */
  readonly client: Got;
  /** The same without. */
  readonly bare: Got;
  /** Another source, for the same servers. */
  readonly createSource: (options?: Partial<TokenSourceOptions>) => TokenSource;
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const world = await openWorld(options);
  const createSource = (own: Partial<TokenSourceOptions> = {}): TokenSource => {
    const source = createTokenSource({
      origins: [world.api.origin],
      refresh: refreshAt(world.authorization),
      ...own,
    });
    afterwards(() => source.close());
    return source;
  };
  const { before = {}, after = {}, adapter } = options;
  const base: ExtendOptions = { retry: { limit: 0 } };
  const client = got.extend(base, before, gotAuth(world.tokens, adapter), after) as Got;
  const bare = got.extend(base, before, after) as Got;
  return { ...world, client, bare, createSource };
}

/** What a request was rejected with; fails where it was not. */
export function errorOf(request: PromiseLike<unknown>): Promise<HTTPError> {
  return rejectionOf(Promise.resolve(request));
}

/** All that a stream gives. */
export async function textOf(stream: Request): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

export const redirectTo = (location: string, status = 302) => ({
  respond: { status, headers: { Location: location } },
});
