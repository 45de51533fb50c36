// Writes the software bill of materials of a release: its tarballs, installed as a user does, and all that they bring along.
// Not by `npm sbom --omit dev` in the workspace: that leaves out what development needs too (tslib).
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { report } from './packages.mjs';
import { inEmptyProject } from './tarballs.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const [, file] = process.argv.slice(2);
// Without peers: the clients are the user's own choice. Without the lock, npm does not know what came from a tarball.
const flags = ['--legacy-peer-deps', '--package-lock'];

function describe(project) {
  const args = ['sbom', '--sbom-format', 'cyclonedx', ...flags];
  const bill = JSON.parse(execFileSync('npm', args, { cwd: project, encoding: 'utf8' }));
  Object.assign(bill.metadata.component, {
    'bom-ref': `unexpired@${version}`,
    name: 'unexpired',
    version,
    purl: `pkg:npm/unexpired@${version}`,
    properties: [],
  });
  for (const component of bill.components) {
    // Paths of this machine, and the registry that it asked.
    component.externalReferences = component.externalReferences.filter(({ type }) => type !== 'distribution');
  }
  writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`);
  return [];
}

if (file === undefined) report(['node scripts/sbom.mjs <folder of tarballs> <file>']);
else report(await inEmptyProject({ flags }, describe), `${file} is written`);
