import assert from 'node:assert/strict';
import { accessTokenOf, refreshTokenOf } from '../../src/record.ts';
import type { World } from './world.ts';

/** I2, I3 and I16: one exchange at a time, by whoever holds the lock, announced, with what is not known to be spent. */
function checkExchanges({ exchanges }: World): void {
  const running = exchanges.filter(({ ended, host }) => !ended && host.state !== 'crashed');
  assert.ok(running.length <= 1, 'I2: two exchanges are in flight');
  const last = exchanges.at(-1);
  if (last === undefined) return;
  assert.ok(last.hadLock, 'I16: an exchange began without the lock');
  assert.ok(last.wasClaimed, 'P4: an exchange began without a claim in the store');
  assert.ok(!last.wasAnswered, 'I3: a refresh token was presented again though its successor had come');
}

/** I4 and I12, over the record that was written last. */
function checkHistory({ backing: { history } }: World): void {
  const [before, now] = [history.at(-2), history.at(-1)];
  if (before === undefined || now === undefined) return;
  if (before.epoch === now.epoch) {
    assert.ok(now.generation >= before.generation, 'I4: the stored generation decreased');
    assert.ok(now.revision > before.revision, 'I4: the revision did not grow');
  } else {
    assert.ok(
      history.slice(0, -1).every(({ epoch }) => epoch !== now.epoch),
      'I4: an epoch returned',
    );
  }
  if (now.signedOut) return;
  assert.ok(refreshTokenOf(now) ?? refreshTokenOf(before) === undefined, 'I12: a refresh token was removed');
  assert.ok(accessTokenOf(now) ?? accessTokenOf(before) === undefined, 'I12: an access token was removed');
}

/** I5: the newest refresh token that reached a live process is stored, or the process says that it is not. */
function checkDurability({ exchanges, server, backing, processes }: World): void {
  const newest = exchanges.findLast(({ answer, inTime }) => inTime && answer?.refresh_token !== undefined);
  const issued = newest?.answer?.refresh_token;
  if (newest === undefined || newest.host.state === 'crashed' || backing.record?.signedOut) return;
  // A sign-in replaces what was issued before it.
  if (issued === undefined || !server.isOfNewestGrant(issued)) return;
  const stored = server.orderOf(refreshTokenOf(backing.record));
  if (stored >= server.orderOf(issued)) return;
  const owner = processes.find(({ host }) => host === newest.host);
  assert.equal(owner?.source.status().durability, 'dirty', 'I5: a newer refresh token is not stored');
}

/** What holds after every single move. */
export function checkAlways(world: World): void {
  checkExchanges(world);
  checkHistory(world);
  checkDurability(world);
}
