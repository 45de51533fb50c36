import { createHash } from 'node:crypto';

type Bytes = Uint8Array<ArrayBuffer>;
export type Chunks = () => Iterable<Bytes>;

/** What can be sent, and what its arrival must look like. */
export type Body = { readonly seed: number; readonly digest: string } & (
  | { readonly kind: 'json'; readonly value: object }
  | { readonly kind: 'multipart'; readonly form: FormData }
  /** A stream, which can be read once. */
  | { readonly kind: 'stream'; readonly chunks: Chunks }
  /** A stream too large to be kept, beside a function that can open it again. */
  | { readonly kind: 'reopened'; readonly chunks: Chunks }
);

export function digestOf(bytes: string | Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const chunk of typeof bytes === 'string' ? [bytes] : bytes) hash.update(chunk);
  return hash.digest('hex');
}

/** Of the parts, not of the bytes: the boundary between them is the client's to choose. */
export async function digestOfForm(form: FormData): Promise<string> {
  const parts: string[] = [];
  for (const [name, value] of form) {
    if (typeof value === 'string') parts.push(JSON.stringify([name, value]));
    else parts.push(JSON.stringify([name, value.name, value.type, digestOf([await value.bytes()])]));
  }
  return digestOf(parts.join('\n'));
}

function* chunks(count: number, seed: number): Iterable<Bytes> {
  for (let index = 0; index < count; index += 1) {
    yield new Uint8Array(16 * 1024).fill((seed * 31 + index * 7) % 251);
  }
}

function json(seed: number): Body {
  const value = {
    seed,
    text: 'Grüße, 你好 \u2028',
    list: Array.from({ length: 50 }, (_, index) => index * seed),
  };
  return { kind: 'json', seed, value, digest: digestOf(JSON.stringify(value)) };
}

async function multipart(seed: number): Promise<Body> {
  const form = new FormData();
  form.append('title', `upload ${seed}`);
  form.append('title', 'a second value');
  form.append('file', new Blob([...chunks(3, seed)], { type: 'image/png' }), 'näme "x".png');
  return { kind: 'multipart', seed, form, digest: await digestOfForm(form) };
}

function stream(kind: 'stream' | 'reopened', count: number, seed: number): Body {
  const open = (): Iterable<Bytes> => chunks(count, seed);
  return { kind, seed, chunks: open, digest: digestOf(open()) };
}

export type BodyKind = Body['kind'];

export const BODY_KINDS: readonly BodyKind[] = ['json', 'multipart', 'stream', 'reopened'];

/** Another body for each seed. */
export async function makeBody(kind: BodyKind, seed: number): Promise<Body> {
  switch (kind) {
    case 'json':
      return json(seed);
    case 'multipart':
      return multipart(seed);
    case 'stream':
      return stream('stream', 8, seed);
    case 'reopened':
      return stream('reopened', 96, seed);
  }
}
