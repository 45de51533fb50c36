// One upload of a stream, in a process of its own whose peak memory is told.
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { bareClients, type ClientName } from './clients.ts';
import { contendersFor } from './contenders.ts';
import { STATIC_TOKEN, tokensFor } from './place.ts';

const CHUNK = Buffer.alloc(64 * 1024, 'x');
const CHUNKS = 4096;

function* chunks(): Generator<Buffer> {
  // A copy: the real ones come from a file or a socket.
  for (let sent = 0; sent < CHUNKS; sent += 1) {
    yield Buffer.from(CHUNK);
    // Every 8 MiB, so that the peak is what is kept, and not when garbage happens to be collected.
    if (sent % 128 === 127) global.gc!();
  }
}

const [client = '', name, url = ''] = process.argv.slice(2);
const place = { api: new URL(url).origin, tokenEndpoint: url };
const contender = contendersFor(client as ClientName).find((each) => each.name === name);
const send = contender
  ? await contender.connect(place, tokensFor(3600))
  : bareClients[client as ClientName](STATIC_TOKEN);
await send(url, Readable.from(chunks(), { objectMode: false }));
// Not `process.resourceUsage`: the peak that it tells includes that of the parent, of which this is a fork.
const [, peakKiB] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
process.send!(Number(peakKiB) * 1024);
