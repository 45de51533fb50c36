import { describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@unexpired/testing';
import type { Options } from 'ky';
import { afterwards, bearerTokens } from '../../../test/world.ts';
import { openScene, type Scene } from './scene.ts';

/** An access token with less than a minute left, whose refresh is held. */
async function openDue(): Promise<Scene> {
  const clock = createFakeClock();
  const scene = await openScene({
    source: { clock, timing: { leewayMs: 0 }, limits: { replayBytes: 100 } },
    ky: { timeout: 1000 },
  });
  scene.authorization.next({ hold: 'answer' });
  afterwards(scene.authorization.release);
  await clock.advance((scene.first.expires_in - 45) * 1000);
  return scene;
}

const long = 'x'.repeat(101);
const form = new FormData();
form.append('title', 'text');

describe('an access token that is valid is waited for', () => {
  test.each<[string, Options]>([
    ['nothing', {}],
    ['string', { body: 'text' }],
    ['json', { json: 'text' }],
    ['bytes', { body: new Uint8Array(10) }],
    ['buffer', { body: new ArrayBuffer(10) }],
    ['blob', { body: new Blob(['text']) }],
    ['parameters', { body: new URLSearchParams({ a: 'text' }) }],
    ['form', { body: form }],
  ])('by no call with a hook: %s', async (_, options) => {
    const { api, client, first } = await openDue();

    await client.post('things', { ...options, hooks: { beforeRequest: [() => undefined] } });

    expect(bearerTokens(api)).toEqual([first.access_token]);
  });

  test.each<[string, Options]>([
    ['stream', { body: new Blob(['text']).stream() }],
    ['long string', { body: long }],
    ['long json', { json: long }],
    ['long bytes', { body: new Float64Array(13) }],
    ['long blob', { body: new Blob([long]) }],
  ])('by a call whose replay may be impossible: %s', async (_, options) => {
    const { api, client, authorization } = await openDue();

    const sending = client.post('things', { ...options, hooks: { beforeRequest: [() => undefined] } });
    await authorization.requestArrived();
    authorization.release();
    await sending;

    expect(bearerTokens(api)).toEqual([authorization.exchanges[0]?.issued?.access_token]);
  });
});
