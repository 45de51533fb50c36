// Answers for every host below example.com, on loopback: sockets that a client opens to one of them end here, in plain
// HTTP. Each client sends as it always does, through its own sockets.
import { createServer } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';

let exchanges = 0;

function tokenResponse() {
  exchanges += 1;
  return {
    access_token: `access-token-${exchanges}`,
    refresh_token: `refresh-token-${exchanges}`,
    token_type: 'Bearer',
    expires_in: 3600,
  };
}

function answerTo({ headers: { host }, url }) {
  if (url.startsWith('/.well-known/')) {
    const issuer = `https://${host}`;
    return { issuer, token_endpoint: `${issuer}/token`, revocation_endpoint: `${issuer}/revoke` };
  }
  return url === '/token' || url === '/auth/refresh' ? tokenResponse() : {};
}

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answerTo(request)));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
server.unref();

const { port } = server.address();
const connectSecurely = tls.connect;

tls.connect = (options, ...rest) => {
  const host = options.servername || options.host;
  if (!host?.endsWith('.example.com')) return connectSecurely(options, ...rest);
  const socket = net.connect(port, '127.0.0.1');
  // What a TLS socket says once it may be used.
  return socket.once('connect', () => socket.emit('secureConnect'));
};
syncBuiltinESMExports();

// A page of app.example.com: it has relative URLs and a storage.
const { fetch } = globalThis;
globalThis.fetch = (input, init) =>
  fetch(typeof input === 'string' ? new URL(input, 'https://app.example.com') : input, init);

const items = new Map();
const sessionStorage = {
  getItem: (key) => items.get(key) ?? null,
  setItem: (key, value) => items.set(key, value),
};
Object.defineProperty(globalThis, 'sessionStorage', { value: sessionStorage });
