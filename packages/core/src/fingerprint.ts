const ROUND_CONSTANTS: number[] = [];
const INITIAL: number[] = [];

/** FIPS 180-4 derives its constants from the fractional parts of roots of the first primes; so do we. */
function fractionBits(root: number): number {
  return ((root - Math.floor(root)) * 0x1_0000_0000) | 0;
}

for (let candidate = 2; ROUND_CONSTANTS.length < 64; candidate += 1) {
  let divisor = 2;
  while (divisor * divisor <= candidate && candidate % divisor !== 0) divisor += 1;
  if (divisor * divisor <= candidate) continue;
  if (INITIAL.length < 8) INITIAL.push(fractionBits(Math.sqrt(candidate)));
  ROUND_CONSTANTS.push(fractionBits(Math.cbrt(candidate)));
}

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

function compress(state: number[], schedule: Int32Array): number[] {
  for (let i = 16; i < 64; i += 1) {
    const w15 = schedule[i - 15]!;
    const w2 = schedule[i - 2]!;
    const s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >>> 3);
    const s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >>> 10);
    schedule[i] = schedule[i - 16]! + s0 + schedule[i - 7]! + s1;
  }
  let [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i += 1) {
    const choice = (e & f) ^ (~e & g);
    const first =
      (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + ROUND_CONSTANTS[i]! + schedule[i]!) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0;
    [a, b, c, d, e, f, g, h] = [(first + second) | 0, a, b, c, (d + first) | 0, e, f, g];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + state[i]!) | 0);
}

/**
 * The first 12 hex digits of a token's SHA-256: enough to tell tokens apart in logs, nothing to get one back from.
 * It is computed here because Web Crypto is asynchronous and absent from insecure contexts, and it guards no secret.
 */
export function fingerprintOf(token: string): string {
  const bytes = new TextEncoder().encode(token);
  const view = new DataView(new ArrayBuffer(((bytes.length + 8) >> 6) * 64 + 64));
  new Uint8Array(view.buffer).set(bytes);
  view.setUint8(bytes.length, 0x80);
  view.setUint32(view.byteLength - 4, bytes.length * 8);
  let state = INITIAL;
  for (let block = 0; block < view.byteLength; block += 64) {
    const schedule = new Int32Array(64);
    for (let i = 0; i < 16; i += 1) schedule[i] = view.getInt32(block + i * 4);
    state = compress(state, schedule);
  }
  return state
    .slice(0, 2)
    .map((word) => (word >>> 0).toString(16).padStart(8, '0'))
    .join('')
    .slice(0, 12);
}
