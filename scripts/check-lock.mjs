// What makes `npm ci` fail on another machine although `npm install` passed on this one.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { packages, report } from './packages.mjs';

const locked = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;

/** Where Node would look for a dependency of the package that lies at `path`, nearest folder first. */
function placesFor(path, name) {
  const nested = path.split('/node_modules/').map((_, i, parts) => parts.slice(0, parts.length - i));
  const folders = [...nested.map((parts) => parts.join('/node_modules/')), ''];
  return folders.map((folder) => `${folder}${folder && '/'}node_modules/${name}`);
}

// An optional package that the registry does not have is left out of the lockfile, and `npm ci` refuses that.
const missing = Object.entries(locked).flatMap(([path, entry]) =>
  Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
    .filter((name) => !placesFor(path, name).some((place) => place in locked))
    .map(
      (name) => `${path || 'the workspace'} asks for ${name}, which has no entry: pin a version that has all`,
    ),
);

const addressed = Object.entries(locked)
  .filter(([, { resolved }]) => /^[a-z+]+:/.test(resolved ?? ''))
  .map(([path]) => `${path} is tied to an address: npm install with omit-lockfile-registry-resolved`);

const kinds = ['dependencies', 'peerDependencies', 'optionalDependencies', 'devDependencies'];
const ranges = (manifest = {}) =>
  kinds
    .flatMap((kind) => Object.entries(manifest[kind] ?? {}).map((entry) => `${kind} ${entry.join(' ')}`))
    .sort();
const root = { path: '', manifest: JSON.parse(readFileSync('package.json', 'utf8')) };
const stale = [root, ...packages]
  .filter(({ path, manifest }) => !isDeepStrictEqual(ranges(locked[path]), ranges(manifest)))
  .map(({ path }) => `${path || 'the root'}: package.json and package-lock.json disagree: npm install`);

report(
  [...missing, ...addressed, ...stale],
  `${Object.keys(locked).length} locked packages, none of them a trap`,
);
