import { createHash } from 'node:crypto';

/**
 * A name for any text: short, of characters that every keyring and file system takes, never that of another text, also
 * where upper and lower case are one. What can be read of the text comes first.
 */
export function nameOf(text: string): string {
  const readable = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9@._-]+/g, '-')
    .slice(0, 40);
  // As UTF-16: lone surrogates would all be the same in UTF-8.
  const digest = createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex').slice(0, 32);
  return `${readable}-${digest}`;
}
