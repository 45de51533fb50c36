import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  createAuthorizationServer,
  startRace,
  type AuthorizationServer,
  type Race,
  type RaceOptions,
} from '@unexpired/testing';

const module = new URL('./shared-file.ts', import.meta.url);

let folder: string;
let server: AuthorizationServer;
let race: Race | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'race-'));
  server = await createAuthorizationServer();
});

afterEach(async () => {
  await race?.end();
  await server.close();
  await rm(folder, { recursive: true });
});

async function start(options: Partial<RaceOptions> = {}): Promise<Race> {
  const store = { module, options: { path: join(folder, 'shared.json') } };
  race = await startRace({ store, server, processes: 2, ...options });
  return race;
}

test('processes that refuse each access token present every refresh token once', async () => {
  const three = await start({ asking: 'refusal', processes: 3 });
  await three.untilGeneration(10);
  const { presentations, failures, isSignedIn } = await three.end();

  expect(presentations.length).toBeGreaterThanOrEqual(9);
  expect(presentations.every(({ times }) => times === 1)).toBe(true);
  expect(isSignedIn).toBe(true);
  expect(failures).toEqual([]);
});

test('a process is held at each point of its refresh, and goes on when it is released', async () => {
  const { processes } = await start({ processes: 1 });
  const [one] = processes;
  const points = ['claimed', 'sent', 'answered', 'committing', 'committed'] as const;
  const there = points.map((point) => one!.hold(point));
  const refused = one!.refuse();
  for (const [index, point] of points.entries()) {
    await there[index];
    expect(one!.heldAt).toBe(point);
    expect(server.exchanges).toHaveLength(index < 2 ? 0 : 1);
    expect((await one!.read())?.generation).toBe(point === 'committed' ? 2 : 1);
    one!.release(point);
  }
  expect((await refused).generation).toBe(2);
  expect(one!.points).toEqual(points);
});
