import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { openScene } from './scene.ts';

const MIB = 1024 * 1024;

async function* upload(size: number): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(MIB).fill(7);
  for (let given = 0; given < size; given += chunk.length) yield chunk;
}

test.each([0, 2])('does not close a long source, and the replay has all of it: %s retries', async (retry) => {
  const { api, client, authorization } = await openScene({
    source: { limits: { replayBytes: 16 * MIB } },
    ky: { retry },
  });
  authorization.revokeAccessTokens();
  api.next({ early: true });

  const body = Readable.from(upload(64 * MIB)) as never;
  const response = await client.put('things', { body });

  expect(response.status).toBe(200);
  expect(api.requests[1]).toMatchObject({ complete: true, length: 64 * MIB });
});
