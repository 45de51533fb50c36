// Writes the software bill of materials of a release: its tarballs, installed as a user does, and all that they bring along.
// Not by `npm sbom --omit dev` in the workspace: that leaves out what development needs too (tslib).
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { report } from './packages.mjs';
import { inEmptyProject } from './tarballs.mjs';

const [, file] = process.argv.slice(2);
// The clients are the user's own choice.
const flags = ['--legacy-peer-deps'];

function describe(project) {
  const args = ['sbom', '--sbom-format', 'cyclonedx', ...flags];
  const bill = JSON.parse(execFileSync('npm', args, { cwd: project, encoding: 'utf8' }));
  // npm takes the name of the folder.
  bill.metadata.component.name = 'unexpired';
  for (const component of bill.components) {
    // Paths of this machine, and the registry that it asked.
    component.externalReferences = component.externalReferences.filter(({ type }) => type !== 'distribution');
  }
  writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`);
  return [];
}

if (file === undefined) report(['node scripts/sbom.mjs <folder of tarballs> <file>']);
else report(await inEmptyProject({ flags }, describe), `${file} is written`);
