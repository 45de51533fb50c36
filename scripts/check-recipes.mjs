// Each block of these pages is a file of examples/, word for word; there it is type-checked and run. `--write` copies
// the files into their blocks.
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { report } from './packages.mjs';

const pages = ['docs/recipes.md', 'docs/migration.md'];
const shown = [
  ...globSync('examples/!(demo|migration)/main.ts').map((file) => file.replace('main.ts', '')),
  ...globSync('examples/migration/*/{before,after}.ts'),
];
const fence = /^```ts nocheck (?<file>\S+)\n(?<code>.*?)^```$/gms;

const contentOf = ({ file, code }) => (existsSync(file) ? readFileSync(file, 'utf8') : code);

function writeBlocks(page) {
  const filled = readFileSync(page, 'utf8').replace(fence, (...match) => {
    const groups = match.at(-1);
    return `\`\`\`ts nocheck ${groups.file}\n${contentOf(groups)}\`\`\``;
  });
  writeFileSync(page, filled);
}

if (process.argv.includes('--write')) pages.forEach(writeBlocks);

const texts = pages.map((page) => ({ page, text: readFileSync(page, 'utf8') }));
const blocks = texts.flatMap(({ page, text }) =>
  [...text.matchAll(fence)].map(({ groups }) => ({ page, ...groups })),
);
const missing = blocks.filter(({ file }) => !existsSync(file));
const stale = blocks.filter((block) => block.code !== contentOf(block));
const untold = shown.filter((path) => !blocks.some(({ file }) => file.startsWith(path)));
const unnamed = texts.filter(
  ({ text }) => text.match(/^```\w/gm).length !== [...text.matchAll(fence)].length,
);

const problems = [
  ...missing.map(({ page, file }) => `${page}: ${file} does not exist`),
  ...stale.map(({ page, file }) => `${page}: the block of ${file} differs from the file`),
  ...untold.map((path) => `${pages.join(' and ')}: no block is of ${path}`),
  ...unnamed.map(({ page }) => `${page}: a block names no file; begin it with \`\`\`ts nocheck examples/…`),
];
if (stale.length > 0)
  problems.push('To copy the files into the pages: node scripts/check-recipes.mjs --write');
report(problems, `${blocks.length} blocks of ${pages.join(' and ')} equal their files`);
