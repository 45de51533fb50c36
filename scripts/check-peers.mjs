// Installs the tarballs beside the oldest client of each peer range, and there type-checks and runs a small program.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { packages, report } from './packages.mjs';

const wanted = process.argv.slice(2);
const clients = ['axios', 'ky', 'got'].filter((client) => wanted.length === 0 || wanted.includes(client));
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const manifests = Object.fromEntries(packages.map(({ folder, manifest }) => [folder, manifest]));
const paths = ['core', 'testing', ...clients].map((name) => `packages/${name}`);
const floors = Object.fromEntries(clients.map((client) => [client, floorOf(client)]));
const tested = clients.map((client) => `${client} ${floors[client]}`).join(', ');

function floorOf(client) {
  const range = manifests[client].peerDependencies[client];
  const floor = /^>=(?<version>\d+\.\d+\.\d+) /.exec(range)?.groups.version;
  if (floor === undefined) throw new Error(`The peer range ${range} of ${client} has no floor.`);
  return floor;
}

function pack(folder) {
  const workspaces = paths.flatMap((path) => ['-w', path]);
  const args = ['pack', '--json', '--pack-destination', folder, ...workspaces];
  // npm answers with an array or with an object by name, depending on its version.
  const packed = Object.values(JSON.parse(execFileSync('npm', args, { encoding: 'utf8' })));
  const fileOf = ({ filename }) => `file:${filename.replace('@', '').replace('/', '-')}`;
  return Object.fromEntries(packed.map((tarball) => [tarball.name, fileOf(tarball)]));
}

function installProblems(folder) {
  const manifest = { private: true, type: 'module', dependencies: { ...pack(folder), ...floors } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  const { status, stderr } = spawnSync('npm', ['install', ...flags], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) return [`npm install fails beside ${tested}\n${stderr}`];
  const found = (client) => read(join(folder, 'node_modules', client, 'package.json')).version;
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

function problems() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'unexpired-peers-')));
  try {
    const uninstalled = installProblems(folder);
    if (uninstalled.length > 0) return uninstalled;
    cpSync('scripts/peers', folder, { recursive: true });
    return clients.flatMap((client) => [...typeProblems(folder, client), ...runProblems(folder, client)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const build = spawnSync('tsc', ['-b', ...paths], { stdio: 'inherit' });
if (build.status !== 0) report(['nothing is packed while the build fails']);
else report(problems(), `the peer floors hold: ${tested}`);
