// The next version, by the changesets, for all packages, the workspace and the lockfile.
import { execSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

execSync('changeset version', { stdio: 'inherit' });
const { version } = read('packages/core/package.json');
writeFileSync('package.json', `${JSON.stringify({ ...read('package.json'), version }, null, 2)}\n`);
execSync('npm install --package-lock-only', { stdio: 'inherit' });
console.log(`${version}: review, commit, and tag it v${version}`);
