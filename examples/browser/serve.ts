// npm run demo:web -- --lifetime 30
import { parseArgs } from 'node:util';
import { startServers } from './servers.ts';
import { startSite } from './site.ts';

const { values } = parseArgs({ options: { lifetime: { type: 'string', default: '12' } } });
const lifetime = Number(values.lifetime);
if (!(lifetime >= 2)) throw new TypeError(`--lifetime takes seconds, 2 or more, not ${values.lifetime}`);

const servers = await startServers(lifetime);
const site = await startSite(servers);
console.log(`Open ${site.url} in a browser, in two tabs or more. Access tokens live for ${lifetime} s.`);
console.log('Ctrl-C ends it.');

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    site.close();
    void servers.close();
  });
}
