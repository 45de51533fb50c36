// third-party/ has an adapter and a store as others would write them: against tarballs they compile and pass the suites.
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packages, report } from './packages.mjs';
import { inEmptyProject, workspaceVersions } from './tarballs.mjs';

function run(project, [command, ...args]) {
  const options = { cwd: project, encoding: 'utf8', timeout: 120_000 };
  const { status, stdout, stderr } = spawnSync(command, args, options);
  return status === 0 ? [] : [`third-party: ${args.join(' ')} fails\n${stdout}${stderr}`];
}

function problemsIn(project) {
  cpSync('third-party', project, { recursive: true });
  const config = {
    extends: resolve('tsconfig.test.json'),
    // With the types of libraries, which are here those of the tarballs.
    compilerOptions: { customConditions: [], skipLibCheck: false, typeRoots: ['node_modules/@types'] },
    include: ['*.ts'],
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
  const types = run(project, [resolve('node_modules/.bin/tsc'), '-p', '.', '--pretty', 'false']);
  if (types.length > 0) return types;
  // node:test has no time-out of its own.
  const flags = ['--test', '--test-reporter=spec', '--test-timeout=60000'];
  return run(project, [process.execPath, ...flags, ...globSync('*.test.ts', { cwd: project })]);
}

const wanted = packages.filter(({ folder }) => ['core', 'testing'].includes(folder));
const problems = await inEmptyProject({ wanted, dependencies: workspaceVersions('@types/node') }, problemsIn);
report(problems, 'a third-party adapter and a third-party store pass the suites');
