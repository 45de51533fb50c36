// Each block of docs/recipes.md is a file of examples/, word for word; there it is type-checked and run. `--write`
// copies the files into their blocks.
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { report } from './packages.mjs';

const page = 'docs/recipes.md';
const notToCopy = ['examples/demo/', 'examples/migration/'];
const fence = /^```ts nocheck (?<file>\S+)\n(?<code>.*?)^```$/gms;

const blocksOf = (text) => [...text.matchAll(fence)].map(({ groups }) => groups);
const contentOf = ({ file, code }) => (existsSync(file) ? readFileSync(file, 'utf8') : code);

function writeBlocks(text) {
  const filled = text.replace(fence, (...match) => {
    const groups = match.at(-1);
    return `\`\`\`ts nocheck ${groups.file}\n${contentOf(groups)}\`\`\``;
  });
  writeFileSync(page, filled);
  return filled;
}

const written = readFileSync(page, 'utf8');
const text = process.argv.includes('--write') ? writeBlocks(written) : written;
const blocks = blocksOf(text);
const missing = blocks.filter(({ file }) => !existsSync(file));
const stale = blocks.filter((block) => block.code !== contentOf(block));
const others = text.match(/^```\w/gm).length - blocks.length;
const untold = globSync('examples/*/main.ts')
  .map((file) => file.replace('main.ts', ''))
  .filter((folder) => !notToCopy.includes(folder))
  .filter((folder) => !blocks.some(({ file }) => file.startsWith(folder)));

const problems = [
  ...missing.map(({ file }) => `${page}: ${file} does not exist`),
  ...stale.map(({ file }) => `${page}: the block of ${file} differs from the file`),
  ...untold.map((folder) => `${page}: no block is of ${folder}`),
  ...(others === 0
    ? []
    : [`${page}: ${others} blocks name no file; begin them with \`\`\`ts nocheck examples/…`]),
];
if (stale.length > 0)
  problems.push('To copy the files into the page: node scripts/check-recipes.mjs --write');
report(problems, `${blocks.length} blocks of ${page} equal their files`);
