import { createHash } from 'node:crypto';
import type { Keyring } from './keyring.ts';

/** Which of the two sets of entries of an account holds a text that is too long for one entry. */
export interface Parts {
  readonly set: 'a' | 'b';
  readonly count: number;
  /** Of the whole text. */
  readonly digest: string;
}

/** Long texts, beside the entry that names the current one of their two sets. */
export interface PartStore {
  /** Undefined: they are not what `parts` tells of, as while another process writes. */
  join(user: string, parts: Parts): Promise<string | undefined>;
  write(user: string, text: string, set: 'a' | 'b'): Promise<Parts>;
  /** Both sets, whatever the entry tells of them: it may be damaged. */
  copy(user: string, to: string): Promise<void>;
  /** Removes the parts of all other sets. */
  keepOnly(user: string, set: 'a' | 'b' | undefined): Promise<void>;
}

export function isParts(value: unknown): value is Parts {
  const { set, count, digest } = (value ?? {}) as Partial<Parts>;
  return (set === 'a' || set === 'b') && Number.isSafeInteger(count) && typeof digest === 'string';
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

const nameOfPart = (user: string, set: string, index: number): string => `${user} ${set}${index}`;

/** `limit` counts the characters that one entry can hold. */
export function openParts(keyring: Keyring, limit: number): PartStore {
  /** The last one first, so that those of a removal that was interrupted are found again. */
  async function remove(user: string, set: string): Promise<void> {
    let count = 0;
    while ((await keyring.get(nameOfPart(user, set, count))) !== undefined) count += 1;
    for (let index = count - 1; index >= 0; index -= 1) await keyring.remove(nameOfPart(user, set, index));
  }

  return {
    async join(user, { set, count, digest }) {
      let text = '';
      for (let index = 0; index < count; index += 1) {
        const part = await keyring.get(nameOfPart(user, set, index));
        if (part === undefined) return undefined;
        text += part;
      }
      return digestOf(text) === digest ? text : undefined;
    },

    async write(user, text, set) {
      const count = Math.ceil(text.length / limit);
      await remove(user, set);
      for (let index = 0; index < count; index += 1) {
        await keyring.set(nameOfPart(user, set, index), text.slice(index * limit, (index + 1) * limit));
      }
      return { set, count, digest: digestOf(text) };
    },

    async copy(user, to) {
      for (const set of ['a', 'b'] as const) {
        for (let index = 0; ; index += 1) {
          const part = await keyring.get(nameOfPart(user, set, index));
          if (part === undefined) break;
          await keyring.set(nameOfPart(to, set, index), part);
        }
      }
    },

    async keepOnly(user, current) {
      for (const set of ['a', 'b'] as const) if (set !== current) await remove(user, set);
    },
  };
}
