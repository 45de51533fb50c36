// Type-checks every ```ts block of the Markdown files as a module of its own. A block opts out with ```ts nocheck.
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { blocksOf } from './markdown-code.mjs';

const folder = '.snippets';

const blocks = globSync(['README.md', 'packages/*/README.md', 'docs/*.md', 'CONTRIBUTING.md', 'SECURITY.md'])
  .sort()
  .flatMap(blocksOf);

function check() {
  const config = { extends: '../tsconfig.test.json', include: ['*.ts'] };
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(config));
  // The closing export makes each block a module, so that its names are its own and `await` may stand at the top.
  blocks.forEach(({ code }, i) => writeFileSync(`${folder}/${i}.ts`, `${code}\nexport {};\n`));
  const { status, stdout } = spawnSync('tsc', ['-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
  const inMarkdown = (_, i, line, column) => `${blocks[i].file}:${blocks[i].line + Number(line)}:${column}`;
  process.stdout.write(stdout.replace(/^(?:\.snippets\/)?(\d+)\.ts\((\d+),(\d+)\)/gm, inMarkdown));
  return status === 0;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const passed = blocks.length === 0 || check();
rmSync(folder, { recursive: true, force: true });
if (passed) console.log(`${blocks.length} code blocks type-check`);
else process.exitCode = 1;
