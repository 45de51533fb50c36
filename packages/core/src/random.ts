/** An id that no other sign-in has, of any process. Web Crypto's `randomUUID` is missing from insecure contexts. */
export function newEpoch(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
