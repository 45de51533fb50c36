import {
  createTokenSource,
  type TokenSource,
  type TokenSourceOptions,
  type TokenSourceResolver,
} from '@unexpired/core';
import { ALL, CLIENTS, type Answer, type ClientName, type Sending } from './clients.ts';
import { afterwards, openWorld, refreshAt, type World } from './world.ts';

/** How a request ended, whichever client sent it. */
export interface Outcome extends Partial<Answer> {
  readonly client: ClientName;
  readonly error?: unknown;
}

/** Sends through one of the clients; never rejects. */
export type SendBy = (client: ClientName, sending?: Partial<Sending>) => Promise<Outcome>;

export interface Scene extends World {
  readonly sendBy: SendBy;
  /** So many requests at once, through the clients in turn. */
  readonly send: (count: number, sending?: Partial<Sending>) => Promise<Outcome[]>;
  readonly createSource: (options: Partial<TokenSourceOptions>) => TokenSource;
}

export interface SceneOptions {
  /** @default all */
  readonly clients?: readonly ClientName[];
  /** What the clients get instead of the one source. */
  readonly resolver?: TokenSourceResolver;
}

function createSender(tokens: TokenSource | TokenSourceResolver, origin: string): SendBy {
  const create = (name: ClientName): unknown => [name, CLIENTS[name](tokens)];
  const senders = Object.fromEntries(
    ALL.map(create) as [ClientName, (sending: Sending) => Promise<Answer>][],
  );
  return async (client, sending = {}) => {
    try {
      return { client, ...(await senders[client]!({ url: `${origin}/${client}`, ...sending })) };
    } catch (error) {
      return { client, error };
    }
  };
}

/** Back-offs take no time, and a crowd takes its time on a loaded machine, while the exchange is held. */
const patient = {
  random: () => 0,
  limits: { exchangeMs: 60_000, flightMs: 60_000, waitMs: 60_000 },
};

/** All clients over one token source, and an authorization server that is strict. */
export async function openScene({ clients = ALL, resolver }: SceneOptions = {}): Promise<Scene> {
  const world = await openWorld({ source: patient });
  const { authorization, api, tokens } = world;
  const createSource: Scene['createSource'] = (options) => {
    const refresh = refreshAt(authorization);
    const source = createTokenSource({ origins: [api.origin], refresh, ...patient, ...options });
    afterwards(() => source.close());
    return source;
  };
  const sendBy = createSender(resolver ?? tokens, api.origin);
  const send: Scene['send'] = (count, sending) =>
    Promise.all(
      Array.from({ length: count }, (_, index) => sendBy(clients[index % clients.length]!, sending)),
    );
  return { ...world, sendBy, send, createSource };
}

/** Signed in with an access token whose time is over; the API knows that too. */
export async function openExpiredScene(options?: SceneOptions): Promise<Scene> {
  const scene = await openScene(options);
  scene.authorization.revokeAccessTokens();
  await scene.tokens.signIn({ ...scene.first, expires_in: 0 });
  return scene;
}

/** Counted, so that a failed comparison of a thousand stays readable. */
export function countBy(values: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}

/** How the requests of each client ended: a status, or the code of an error. */
export function endingsOf(outcomes: readonly Outcome[]): Record<string, number> {
  return countBy(
    outcomes.map(({ client, status, error }) => {
      // By its code: got makes an error of its own of everything.
      const { code = String(error) } = (error ?? {}) as { code?: string };
      return `${client} ${status ?? code}`;
    }),
  );
}

/** What `endingsOf` says where all ended alike. */
export function each(
  count: number,
  ending: string | number,
  clients: readonly ClientName[] = ALL,
): Record<string, number> {
  return Object.fromEntries(clients.map((client) => [`${client} ${ending}`, count / clients.length]));
}

/** The Authorization lines of some requests, in the order of arrival. */
export function lines({ api: { requests } }: Scene, from: number, to?: number): Record<string, number> {
  return countBy(requests.slice(from, to).map(({ authorization }) => authorization.join(' and ')));
}

export function newest({ authorization }: Scene): string {
  return `Bearer ${authorization.exchanges.at(-1)?.issued?.access_token}`;
}
