import { CLIENTS } from './clients.ts';
import { inProcess, type Table } from './harness.ts';
import type { LateRefusals } from './late-401s-rounds.ts';

export async function late401s(): Promise<Table[]> {
  const rows = [];
  for (const client of CLIENTS) {
    const found = await inProcess<Record<string, LateRefusals>>('late-401s-rounds.ts', client);
    for (const [name, { served, exchanges }] of Object.entries(found)) {
      rows.push({ client, with: name, served, exchanges });
    }
  }
  return [
    {
      title: 'Late 401s: 100 requests with a revoked token, refused one after another',
      note: 'Each answer comes once the request before it is over. One exchange is needed (target 1).',
      rows,
    },
  ];
}
