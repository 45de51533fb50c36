import type { AdapterOptions } from '@unexpired/core';
import { kyAuth } from '@unexpired/ky';
import ky, { type KyInstance, type Options } from 'ky';
import { openWorld, type World, type WorldOptions } from '../../../test/world.ts';

export interface SceneOptions extends WorldOptions {
  readonly adapter?: AdapterOptions;
  readonly ky?: Options;
}

export interface Scene extends World {
  /** With the API as its base, retries without a delay, and the adapter. */
  readonly client: KyInstance;
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const world = await openWorld(options);
  const client = ky
    .create({ baseUrl: world.api.origin, timeout: false, retry: { limit: 2, delay: () => 0 }, ...options.ky })
    .extend(kyAuth(world.tokens, options.adapter));
  return { ...world, client };
}
