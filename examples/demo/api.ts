import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { createRemoteJWKSet, decodeJwt, errors, jwtVerify } from 'jose';
import type { AuthorizationServer } from './authorization-server.ts';
import { digestOf, digestOfForm } from './bodies.ts';
import { clientOf } from './clients.ts';
import { RESOURCE } from './provider.ts';
import { serve } from './server.ts';
import type { Tally } from './tally.ts';

/** What the API answers: what arrived, as it saw it. */
export interface Arrival {
  readonly digest: string;
  readonly bytes: number;
}

/** Requests that arrived and wait for their answer. */
export interface Hold {
  /** Settles once so many have arrived. */
  arrived(count: number): Promise<void>;
  release(): void;
}

export interface Api {
  readonly origin: string;
  /** Keeps back requests with `?hold=name`, after their bodies were read and before their access tokens are. */
  hold(name: string): Hold;
  readonly close: () => Promise<void>;
}

interface Held extends Hold {
  wait(): Promise<void>;
}

function createHold(): Held {
  const released = Promise.withResolvers<void>();
  let count = 0;
  let notice = (): void => undefined;
  return {
    arrived(wanted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      notice = () => void (count >= wanted && resolve());
      notice();
      return promise;
    },
    release: () => released.resolve(),
    wait() {
      count += 1;
      notice();
      return released.promise;
    },
  };
}

async function receive(request: IncomingMessage): Promise<Arrival> {
  const bytes = await buffer(request);
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/')) return { digest: digestOf([bytes]), bytes: bytes.length };
  const form = new Response(bytes, { headers: { 'content-type': type } }).formData();
  // What cannot be parsed differs from whatever was sent.
  return { digest: await form.then(digestOfForm).catch(() => 'not a form'), bytes: bytes.length };
}

const tokenOf = ({ headers: { authorization = '' } }: IncomingMessage): string =>
  authorization.replace(/^Bearer /, '');

/** Of an access token that nobody has verified yet. */
function idOf(request: IncomingMessage): string {
  const token = tokenOf(request);
  return (token && decodeJwt(token).jti) || '';
}

/** Verifies access tokens as any resource server does: signature, issuer, audience, time, and what was revoked. */
function createGuard(
  { issuer, issuance }: AuthorizationServer,
  tally: Tally,
): (request: IncomingMessage) => Promise<boolean> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  // A JWT tells its times in whole seconds.
  const expected = { issuer, audience: RESOURCE, typ: 'at+jwt', clockTolerance: 1 };
  return async (request) => {
    try {
      const { payload } = await jwtVerify(tokenOf(request), keys, expected);
      const isRevoked = issuance.isRevoked(payload.jti!);
      if (isRevoked) tally.add('revokedRefusals');
      return !isRevoked;
    } catch (error) {
      if (error instanceof errors.JOSEError) return false;
      throw error;
    }
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** An API that tells each caller what arrived, and refuses access tokens that are not, or no longer, good. */
export async function startApi(
  tally: Tally,
  { authorizationServer, elsewhere }: { authorizationServer: AuthorizationServer; elsewhere: string },
): Promise<Api> {
  const mayPass = createGuard(authorizationServer, tally);
  const holds = new Map<string, Held>();
  const dropped = new Set<string>();

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, 'http://api');
    const arrival = await receive(request);
    authorizationServer.issuance.arrived(idOf(request));
    const drop = searchParams.get('drop');
    if (drop !== null && !dropped.has(drop)) {
      dropped.add(drop);
      tally.add('drops', clientOf(request));
      request.socket.resetAndDestroy();
      return;
    }
    await holds.get(searchParams.get('hold') ?? '')?.wait();
    if (!(await mayPass(request))) {
      tally.add('refusals', clientOf(request));
      response.setHeader('www-authenticate', 'Bearer error="invalid_token"');
      answer(response, 401, { error: 'invalid_token' });
    } else if (pathname === '/moved') {
      response.writeHead(302, { location: `${elsewhere}/moved` }).end();
    } else {
      answer(response, 200, arrival);
    }
  }

  const { origin, close } = await serve((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // A caller may leave before all of its body is here; anything else is a fault of the demo.
      if (request.complete) throw error;
    });
  });
  return {
    origin,
    close,
    hold(name) {
      const held = createHold();
      holds.set(name, held);
      return held;
    },
  };
}
