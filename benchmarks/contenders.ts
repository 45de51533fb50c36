import type { TokenResponse } from '@unexpired/core';
import { clients, type ClientName, type Send } from './clients.ts';
import { peersOf, type Place } from './peers.ts';
import { sourceAt } from './servers.ts';

export type Connect = (place: Place, first: TokenResponse) => Send | Promise<Send>;

/** Ours over this client, and what people would pick instead. */
export function contendersFor(client: ClientName): readonly (readonly [name: string, connect: Connect])[] {
  const ours: Connect = async (place, first) => clients[client].ours(await sourceAt(place, first));
  const others = peersOf(client).map(([name, { connect }]) => [name, connect] as const);
  return [['unexpired', ours], ...others];
}
