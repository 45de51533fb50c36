import { setImmediate } from 'node:timers/promises';
import type { ClientName } from './clients.ts';
import { contendersFor, type Connect } from './contenders.ts';
import { crowd } from './crowd.ts';

export interface LateRefusals {
  readonly served: number;
  readonly exchanges: number;
}

const [client, count] = process.argv.slice(2);
const requests = Number(count);

async function measure(connect: Connect): Promise<LateRefusals> {
  const first = crowd.tokens();
  const send = await connect(crowd, first);
  crowd.exchanges = 0;
  crowd.apiHold.isShut = true;
  let over = 0;
  const all = Array.from({ length: requests }, () => send(crowd.url).finally(() => (over += 1)));
  const results = Promise.allSettled(all);
  while (crowd.apiHold.waiting < requests) await setImmediate();
  crowd.good.delete(`Bearer ${first.access_token}`);
  crowd.apiHold.isShut = false;
  for (let answered = 1; answered <= requests; answered += 1) {
    crowd.apiHold.release(1);
    while (over < answered) await setImmediate();
  }
  const served = (await results).filter(({ status }) => status === 'fulfilled').length;
  return { served, exchanges: crowd.exchanges };
}

const found: Record<string, LateRefusals> = {};
for (const { name, connect } of contendersFor(client as ClientName)) found[name] = await measure(connect);
process.send!(found);
