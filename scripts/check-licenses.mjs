// What the packages bring along, all the way down, by the lockfile: nothing that asks more than its notice to be kept.
import { readFileSync } from 'node:fs';
import { packages, report } from './packages.mjs';

const allowed = ['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0'];
const locked = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;

/** Where npm put a dependency of what lies at `path`: in the nearest folder that has it. */
function placeOf(path, name) {
  const place = `${path}${path && '/'}node_modules/${name}`;
  // One of our own is a link to its folder.
  if (place in locked) return locked[place].link ? locked[place].resolved : place;
  if (path === '') throw new Error(`${name} is not in the lockfile: npm install`);
  return placeOf(path.slice(0, Math.max(0, path.lastIndexOf('/'))), name);
}

function collect(path, found) {
  const { dependencies, optionalDependencies } = locked[path];
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const place = placeOf(path, name);
    if (found.has(place)) continue;
    found.add(place);
    collect(place, found);
  }
  return found;
}

const brought = packages.reduce((found, { path }) => collect(path, found), new Set());
const licenseOf = (place) => locked[place].license;
const foreign = [...brought].filter((place) => !allowed.includes(licenseOf(place)));
const own = packages.filter(({ manifest }) => manifest.license !== 'MIT');

report(
  [
    ...foreign.map(
      (place) => `${place}: ${licenseOf(place) ?? 'no license'}; allowed are ${allowed.join(', ')}`,
    ),
    ...own.map(({ path, manifest }) => `${path}: ${manifest.license} is not MIT`),
  ],
  `${brought.size} dependencies of the packages are under ${[...new Set([...brought].map(licenseOf))].join(', ')}`,
);
