import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, defaultClientConditions, type Rolldown } from 'vite';
import type { Servers } from './servers.ts';

export interface Site {
  readonly url: string;
  readonly close: () => void;
}

type Files = ReadonlyMap<string, string | Uint8Array>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Builds the page into memory. */
async function buildPage(): Promise<Files> {
  const built = await build({
    root: fileURLToPath(new URL('.', import.meta.url)),
    configFile: false,
    logLevel: 'warn',
    // The sources of this workspace, not what is in dist/. A project that installs the packages needs none of this.
    resolve: { conditions: ['@unexpired/source', ...defaultClientConditions] },
    build: { write: false, modulePreload: { polyfill: false } },
  });
  const { output } = built as Rolldown.RolldownOutput;
  return new Map(
    output.map((file) => [`/${file.fileName}`, file.type === 'chunk' ? file.code : file.source]),
  );
}

/** The page runs its own script and talks to its own servers: what each page that keeps tokens should be told. */
function policyFor({ api, tokenEndpoint }: Servers['settings']): string {
  const reach = [api, new URL(tokenEndpoint).origin].join(' ');
  return `default-src 'self'; img-src data:; connect-src 'self' ${reach}; frame-ancestors 'none'`;
}

async function answerDemo(servers: Servers, name: string, response: ServerResponse): Promise<void> {
  const answer = servers.isControl(name) ? await servers.control(name) : servers.settings;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(answer));
}

async function answer(
  { servers, files }: { servers: Servers; files: Files },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  response.setHeader('Cache-Control', 'no-store');
  if (pathname.startsWith('/demo/')) return answerDemo(servers, pathname.slice('/demo/'.length), response);
  const path = pathname === '/' ? '/index.html' : pathname;
  const file = files.get(path);
  response.statusCode = file === undefined ? 404 : 200;
  response.setHeader('Content-Type', TYPES[extname(path)] ?? 'text/plain');
  response.setHeader('Content-Security-Policy', policyFor(servers.settings));
  response.end(file ?? 'There is no such page.');
}

/** Serves the page, and lets it move the servers, on a free port of 127.0.0.1. */
export async function startSite(servers: Servers): Promise<Site> {
  const files = await buildPage();
  const server = createServer((request, response) => void answer({ servers, files }, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
