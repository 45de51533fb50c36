import assert from 'node:assert/strict';
import type { AuthorizationServer } from './authorization-server.ts';
import { aMinute, type Counts, type ProcessCase } from './process-suite-case.ts';
import type { Race } from './race.ts';

/** Every refresh token was presented once, from the first on, and nobody noticed anything. */
function assertSmooth(race: Race, server: AuthorizationServer, generations: number): void {
  const { presentations, failures, exits, isSignedIn } = race.report();
  const shown = server.presentations.map(({ generation }) => generation);
  assert.deepEqual(
    shown,
    shown.map((_, index) => index + 1),
    'a refresh token was presented twice, or none in its turn',
  );
  assert.ok(presentations.length >= generations - 1);
  assert.equal(isSignedIn, true);
  assert.deepEqual(failures, []);
  assert.deepEqual(
    exits.filter(({ code }) => code !== 0),
    [],
  );
}

/** A generation of 1 s tokens lasts three quarters of that. */
const longEnough = ({ generations }: Counts): number => 60_000 + generations * 3000;

export const races: readonly ProcessCase[] = [
  {
    name: 'processes whose access tokens run out present each refresh token once',
    limitMs: longEnough,
    async run({ serve, race, processes, generations }) {
      const server = await serve({ expiresIn: 1 });
      const all = await race({ server, processes, asking: 'expiry' });
      await all.untilGeneration(generations);
      assertSmooth(all, server, generations);
    },
  },
  {
    name: 'processes whose access tokens are refused all the time present each refresh token once',
    limitMs: longEnough,
    async run({ serve, race, processes, generations }) {
      const server = await serve();
      const all = await race({ server, processes, asking: 'refusal' });
      await all.untilGeneration(generations * 5);
      assertSmooth(all, server, generations * 5);
    },
  },
  {
    name: 'processes come and go during a race, and exit by themselves once their source is closed',
    limitMs: aMinute,
    async run({ serve, race }) {
      const server = await serve();
      const all = await race({ server, processes: 3, asking: 'refusal' });
      for (let round = 0; round < 6; round += 1) {
        const next = await all.add();
        next.ask('refusal');
        await all.untilGeneration((next.token?.generation ?? 0) + 1);
        const { code, output } = await all.processes[round]!.close();
        assert.deepEqual([code, output], [0, '']);
      }
      assertSmooth(all, server, 6);
    },
  },
];
