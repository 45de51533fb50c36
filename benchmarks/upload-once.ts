// One upload of a stream, in a process of its own whose peak memory is told.
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { axiosAuth } from '@unexpired/axios';
import { createTokenSource, type TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { gotAuth } from '@unexpired/got';
import { kyAuth } from '@unexpired/ky';
import axios from 'axios';
import got from 'got';
import ky from 'ky';

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

const nodeStream = (): Readable => Readable.from(chunks(), { objectMode: false });
const webStream = (): ReadableStream<Uint8Array> =>
  Readable.toWeb(nodeStream()) as unknown as ReadableStream<Uint8Array>;

type Upload = (url: string, tokens: TokenSource | undefined) => Promise<unknown>;

const UPLOADS: Readonly<Record<string, Upload>> = {
  axios(url, tokens) {
    const api = axios.create({ maxRedirects: 0 });
    if (tokens) api.interceptors.request.use(axiosAuth(tokens));
    return api.post(url, nodeStream());
  },
  ky(url, tokens) {
    const api = tokens ? ky.extend(kyAuth(tokens)) : ky;
    return api.post(url, { body: webStream(), retry: 0, timeout: false }).text();
  },
  async got(url, tokens) {
    const api = tokens ? got.extend(gotAuth(tokens)) : got;
    await api.post(url, { body: nodeStream() });
  },
  async fetch(url, tokens) {
    const init = { method: 'POST', body: webStream(), duplex: 'half' } as const;
    await (await (tokens ? fetchAuth(tokens) : fetch)(url, init)).text();
  },
};

const [client = '', how = '', url = ''] = process.argv.slice(2);
const tokens = createTokenSource({
  origins: [new URL(url).origin],
  refresh: async () => ({ access_token: 'at', expires_in: 3600 }),
});
await tokens.signIn({ access_token: 'at', expires_in: 3600 });
await UPLOADS[client]!(url, how === 'ours' ? tokens : undefined);
// Not `process.resourceUsage`: the peak that it tells includes that of the parent, of which this is a fork.
const [, peakKiB] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
process.send!(Number(peakKiB) * 1024);
