import { readFileSync } from 'node:fs';

/** The ```ts blocks of a Markdown file, but those that opt out with ```ts nocheck. */
export function blocksOf(file) {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^```(?:ts|typescript)\b(?<flags>[^\n]*)\n(?<code>.*?)^```/gms)]
    .filter(({ groups }) => !groups.flags.includes('nocheck'))
    .map(({ index, groups }) => ({ file, line: text.slice(0, index).split('\n').length, code: groups.code }));
}
