import assert from 'node:assert/strict';
import { faults } from './faults.ts';
import { aMinute, pairOf, rejectionOf, type ProcessCase } from './process-suite-case.ts';

export const sessions: readonly ProcessCase[] = [
  {
    name: 'a sign-in in another process during an exchange stays, and what the exchange brought is revoked',
    limitMs: aMinute,
    async run({ serve, race }) {
      const server = await serve();
      const [holder, peer] = pairOf(await race({ server, processes: 2 }));
      const there = holder.hold('answered');
      const refused = holder.refuse();
      await there;
      const given = await server.signIn();
      await peer.signIn(given);
      holder.release('answered');

      assert.equal((await refused).accessToken, given.access_token);
      assert.equal((await peer.getAccessToken()).accessToken, given.access_token);
      assert.equal((await peer.read())?.tokens?.refresh_token, given.refresh_token);
      await holder.close();
      assert.deepEqual(server.revocations, [server.exchanges[0]?.issued?.refresh_token]);
      assert.equal(server.isGrantAlive(given.refresh_token), true);
    },
  },
  {
    name: 'a sign-out in another process during an exchange stays',
    limitMs: aMinute,
    async run({ serve, race }) {
      const server = await serve();
      const [holder, peer] = pairOf(await race({ server, processes: 2 }));
      await peer.getAccessToken();
      const there = holder.hold('answered');
      const refused = rejectionOf(holder.refuse());
      await there;
      await peer.signOut();
      holder.release('answered');

      assert.equal((await refused)?.code, 'ERR_REAUTHENTICATION_REQUIRED');
      assert.equal((await rejectionOf(peer.getAccessToken()))?.code, 'ERR_REAUTHENTICATION_REQUIRED');
      const stored = await peer.read();
      assert.deepEqual([stored?.signedOut, stored?.tokens], [true, undefined]);
      await holder.close();
      assert.ok(server.revocations.includes(server.exchanges[0]!.issued!.refresh_token!));
    },
  },
  {
    name: 'a refusal that only says that a program without our lock was faster ends in adoption',
    limitMs: aMinute,
    async run({ serve, race }) {
      const server = await serve();
      const all = await race({ server, processes: 1 });
      const [ours] = all.processes;
      const foreign = await all.add({ unlocked: true });
      // A store may be careful for a while where its lock is new.
      await ours!.refuse();
      const there = foreign.hold('committing');
      const brought = foreign.refuse();
      await there;
      server.next(faults.oauthError('invalid_grant'));
      const refused = ours!.refuse();
      await all.until(() => ours!.points.filter((point) => point === 'answered').length === 2);
      foreign.release('committing');

      assert.equal((await refused).accessToken, (await brought).accessToken);
      assert.equal(server.isAccessTokenValid((await ours!.refuse()).accessToken), true);
    },
  },
  {
    name: 'what a process got is stored though it exits the moment the access token is there',
    limitMs: aMinute,
    async run({ serve, race }) {
      const server = await serve();
      const tokens = { ...(await server.signIn()), expires_in: 0 };
      const all = await race({ server, processes: 1, tokens });
      for (let generation = 2; generation < 5; generation += 1) {
        const { code, output } = await (await all.add()).getAccessTokenAndExit();
        assert.deepEqual([code, output], [0, '']);
        const next = await all.add();
        assert.equal((await next.getAccessToken()).generation, generation);
        assert.equal(server.exchanges.length, generation - 1);
        const stored = (await next.read())!;
        // It has run out, for those who come next.
        await next.write({ ...stored, revision: stored.revision + 1, lifetimeMs: 1 }, stored.revision);
      }
    },
  },
];
