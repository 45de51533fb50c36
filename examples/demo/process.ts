// One of several processes of the demo: sends what it is told to.
import type { TokenResponse } from '@unexpired/core';
import { createFileStore } from '@unexpired/store-file';
import { makeBody, type BodyKind } from './bodies.ts';
import { callersHere, type Callers } from './callers.ts';
import type { ClientName, Place } from './clients.ts';
import type { Outcome } from './requests.ts';
import { connect } from './with.ts';

export type Order =
  | { readonly name: 'open'; readonly place: Place; readonly path: string; readonly staticToken: string }
  | { readonly name: 'signIn'; readonly tokens: TokenResponse }
  | {
      readonly name: 'send';
      readonly client: ClientName;
      readonly isFixed: boolean;
      readonly url: string;
      /** The body is made here, the same as where the order comes from. */
      readonly upload: { readonly kind: BodyKind; readonly seed: number } | undefined;
    };

export interface Answer {
  readonly id: number;
  /** Of a call. */
  readonly outcome: Outcome | undefined;
}

let callers: Callers | undefined;

async function obey(order: Order): Promise<Outcome | undefined> {
  switch (order.name) {
    case 'open': {
      const store = createFileStore({ path: order.path });
      callers = await callersHere(connect)({ ...order.place, store }, order.staticToken);
      return undefined;
    }
    case 'signIn':
      await callers!.signIn(order.tokens);
      return undefined;
    case 'send': {
      const { client, isFixed, url, upload } = order;
      const body = upload && (await makeBody(upload.kind, upload.seed));
      return callers![isFixed ? 'fixed' : 'senders'][client](url, body);
    }
  }
}

async function answer({ id, order }: { readonly id: number; readonly order: Order }): Promise<void> {
  const answer: Answer = { id, outcome: await obey(order) };
  process.send!(answer);
}

process.on('message', (asked: { readonly id: number; readonly order: Order }) => void answer(asked));
process.once('disconnect', () => void callers?.close());
