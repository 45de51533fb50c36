// Packed packages in a project of their own: what somebody gets who is not in this workspace.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { packages } from './packages.mjs';

const { devDependencies, version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Builds these packages and packs them into `folder`, as a release does. Returns what went wrong. */
export function pack(folder, wanted = packages) {
  const build = spawnSync('tsc', ['-b', ...wanted.map(({ path }) => path)], { stdio: 'inherit' });
  if (build.status !== 0) return ['nothing is packed while the build fails'];
  const workspaces = wanted.flatMap(({ path }) => ['-w', path]);
  const args = ['pack', '--silent', '--pack-destination', folder, ...workspaces];
  const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8' });
  return status === 0 ? [] : [`npm pack fails\n${stderr}`];
}

/** The file that npm packs a package into. */
export function tarballOf({ name, version }) {
  return `${name.slice(1).replace('/', '-')}-${version}.tgz`;
}

function install(project, { dependencies, flags }) {
  const manifest = { name: 'unexpired', version, type: 'module', dependencies };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', ...flags];
  const { status, stderr } = spawnSync('npm', args, { cwd: project, encoding: 'utf8' });
  return status === 0 ? [] : [`npm install fails in an empty project\n${stderr}`];
}

/** The tarballs of these packages in `folder`, as dependencies. */
function tarballsIn(folder, wanted) {
  const files = readdirSync(folder);
  const fileOf = ({ manifest }) => tarballOf(manifest);
  const missing = wanted.map(fileOf).filter((file) => !files.includes(file));
  if (missing.length > 0) throw new Error(`${folder} has no ${missing.join(', ')}`);
  return Object.fromEntries(wanted.map((one) => [one.manifest.name, `file:${resolve(folder, fileOf(one))}`]));
}

/**
 * Runs `task` in an empty project that has the tarballs, from the folder that the command line names or packed now,
 * and `dependencies` beside them, installed with `flags`. Returns what went wrong, and what `task` says did.
 */
export async function inEmptyProject({ wanted = packages, dependencies, flags = [] }, task) {
  const project = realpathSync(mkdtempSync(join(tmpdir(), 'unexpired-outside-')));
  const [given] = process.argv.slice(2);
  try {
    const unpacked = given === undefined ? pack(project, wanted) : [];
    if (unpacked.length > 0) return unpacked;
    const tarballs = tarballsIn(given ?? project, wanted);
    const uninstalled = install(project, { dependencies: { ...tarballs, ...dependencies }, flags });
    return uninstalled.length > 0 ? uninstalled : await task(project);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

/** The versions that the workspace has of these packages. */
export function workspaceVersions(...names) {
  return Object.fromEntries(names.map((name) => [name, devDependencies[name]]));
}
