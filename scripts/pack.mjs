// Packs all packages into a folder, for the checks that take one, and for a release: what was tested is what is published.
import { mkdirSync } from 'node:fs';
import { report } from './packages.mjs';
import { pack } from './tarballs.mjs';

const [folder = 'reports/release'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
report(pack(folder), `the tarballs are in ${folder}`);
