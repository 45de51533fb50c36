import { describe, expect, test } from '@jest/globals';
import { CANARY_CLIENTS } from './canary-clients.ts';
import { openCanaryScene } from './canary-scene.ts';
import { SCENARIOS } from './canary-scenarios.ts';

describe.each(Object.entries(CANARY_CLIENTS))('%s shows no secret when', (_, create) => {
  test.each(SCENARIOS)('$name', async ({ options, act }) => {
    const scene = await openCanaryScene(options);
    const { api, identity, elsewhere, canaries, look } = scene;
    const client = create(scene.tokens);

    await act({
      ...scene,
      send: async (request) => look(...(await client.send({ url: `${api.origin}/items`, ...request }))),
    });

    look(client.shows);
    expect(await scene.conclude()).toEqual([]);
    // They were at hand: else this proves nothing.
    expect(canaries.found(api.requests, identity.requests, elsewhere.requests, scene.storage)).not.toEqual(
      [],
    );
  });
});
