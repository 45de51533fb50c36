// Packs each package as a release would, then examines the tarball: files, text, publint, attw.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packages, report } from './packages.mjs';
import { pack, tarballOf } from './tarballs.mjs';

const allowed =
  /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|src\/[\w/.-]+\.ts|dist\/[\w/.-]+\.(?:js|d\.ts)(?:\.map)?)$/;
const required = ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts'];
const address =
  /https?:\/\/[\w.-]*(?:registry|npm)[\w.-]*\/|file:\/\/|["'\s](?:\/(?:work|root|home|Users|tmp)\/|[A-Z]:\\)/;
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

function unpack({ manifest }, folder) {
  const tarball = join(folder, tarballOf(manifest));
  const into = mkdtempSync(join(folder, 'unpacked-'));
  execFileSync('tar', ['-xzf', tarball, '-C', into]);
  const unpacked = join(into, 'package');
  const listed = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  const files = listed.map((file) => file.replace('package/', ''));
  return { tarball, unpacked, files };
}

function fileProblems({ path }, files, unpacked) {
  const stale = (file) => file.startsWith('dist/') && !existsSync(`${path}/${sourceOf(file)}`);
  const leaks = (file) => address.test(readFileSync(join(unpacked, file), 'utf8'));
  return [
    ...required.filter((file) => !files.includes(file)).map((file) => `${file} is missing`),
    ...files.filter((file) => !allowed.test(file)).map((file) => `${file} does not belong into the tarball`),
    ...files.filter(stale).map((file) => `${file} has no source: delete dist and .tsbuild, and build again`),
    ...files.filter(leaks).map((file) => `${file} holds a path of this machine or an address of a registry`),
  ];
}

const sourceOf = (file) => file.replace('dist/', 'src/').replace(/(?:\.js|\.d\.ts)(?:\.map)?$/, '.ts');

function versionProblems({ manifest }) {
  const own = { ...manifest.dependencies, ...manifest.peerDependencies };
  const ranges = Object.entries(own).filter(([name]) => name.startsWith('@unexpired/'));
  return [['version', manifest.version], ...ranges]
    .filter(([, found]) => found !== version)
    .map(([name, found]) => `${name} is ${found}; all packages have one version, ${version}`);
}

function toolProblems(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? [] : [`${command} says:\n${stdout}${stderr}`];
}

function problemsOf(workspace, folder) {
  const { tarball, unpacked, files } = unpack(workspace, folder);
  return [
    ...versionProblems(workspace),
    ...fileProblems(workspace, files, unpacked),
    ...toolProblems('publint', ['--strict', tarball]),
    ...toolProblems('attw', [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji']),
  ].map((problem) => `${workspace.manifest.name}: ${problem}`);
}

const folder = mkdtempSync(join(tmpdir(), 'unexpired-pack-'));
try {
  const unpacked = pack(folder);
  const problems = unpacked.length > 0 ? unpacked : packages.flatMap((one) => problemsOf(one, folder));
  report(problems, `${packages.length} tarballs pass`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
