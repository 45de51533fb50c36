import type { IncomingMessage, ServerResponse } from 'node:http';

/** Lets any page read the answers, with credentials, and answers a preflight; true when it did. */
export function answerCors(request: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return false;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Allow-Credentials', 'true');
  response.setHeader('Access-Control-Expose-Headers', 'WWW-Authenticate, Retry-After, Location');
  response.setHeader('Vary', 'Origin');
  const wanted = request.headers['access-control-request-method'];
  if (request.method !== 'OPTIONS' || wanted === undefined) return false;
  response.setHeader('Access-Control-Allow-Methods', wanted);
  response.setHeader('Access-Control-Allow-Headers', request.headers['access-control-request-headers'] ?? '');
  response.writeHead(204).end();
  return true;
}
