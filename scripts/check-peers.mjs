// Installs the tarballs beside the oldest client of each peer range, and there type-checks and runs a small program.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packages, report } from './packages.mjs';
import { inEmptyProject } from './tarballs.mjs';

const clients = ['axios', 'ky', 'got', 'undici'];
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const manifests = Object.fromEntries(packages.map(({ folder, manifest }) => [folder, manifest]));
const wanted = packages.filter(({ folder }) => ['core', 'testing', ...clients].includes(folder));
const floors = Object.fromEntries(clients.map((client) => [client, floorOf(client)]));
const tested = clients.map((client) => `${client} ${floors[client]}`).join(', ');

function floorOf(client) {
  const range = manifests[client].peerDependencies[client];
  const floor = /^>=(?<version>\d+\.\d+\.\d+) /.exec(range)?.groups.version;
  if (floor === undefined) throw new Error(`The peer range ${range} of ${client} has no floor.`);
  return floor;
}

function versionProblems(project) {
  const found = (client) => read(join(project, 'node_modules', client, 'package.json')).version;
  return clients
    .filter((client) => found(client) !== floors[client])
    .map((client) => `${client} ${found(client)} was installed, not ${floors[client]}`);
}

/** With the types of libraries: a name that the floor lacks would else pass as `any`. */
function typeProblems(folder, client) {
  const compilerOptions = {
    skipLibCheck: false,
    customConditions: [],
    typeRoots: [resolve('node_modules/@types')],
  };
  const config = { extends: resolve('tsconfig.test.json'), compilerOptions, include: [`${client}.ts`] };
  const file = join(folder, `tsconfig.${client}.json`);
  writeFileSync(file, JSON.stringify(config));
  const { status, stdout } = spawnSync('tsc', ['-p', file, '--pretty', 'false'], { encoding: 'utf8' });
  return status === 0 ? [] : [`${client} ${floors[client]}: its types do not fit\n${stdout}`];
}

function runProblems(folder, client) {
  const { status, stderr } = spawnSync(process.execPath, [`${client}.ts`], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
  });
  return status === 0 ? [] : [`${client} ${floors[client]}: the program fails\n${stderr}`];
}

function problemsIn(project) {
  const others = versionProblems(project);
  if (others.length > 0) return others;
  cpSync('scripts/peers', project, { recursive: true });
  return clients.flatMap((client) => [...typeProblems(project, client), ...runProblems(project, client)]);
}

const problems = await inEmptyProject({ wanted, dependencies: floors }, problemsIn);
report(problems, `the peer floors hold: ${tested}`);
