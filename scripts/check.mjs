// Everything that CI asks of a change, in order. All steps run, so that one run names every fault.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';

const steps = [
  ['format', 'oxfmt --check'],
  ['types', 'tsc -b'],
  ['lint', 'oxlint --type-aware --deny-warnings --report-unused-disable-directives'],
  ['boundaries', 'node scripts/check-boundaries.mjs'],
  ['exports', 'node scripts/check-exports.mjs'],
  ['public names', 'node scripts/check-api.mjs'],
  ['text', 'node scripts/check-text.mjs'],
  ['README code', 'node scripts/check-snippets.mjs'],
  ['recipes', 'node scripts/check-recipes.mjs'],
  ['figures', 'node scripts/check-figures.mjs'],
  ['timeline', 'npm run -s timeline -- --check'],
  ['lockfile', 'node scripts/check-lock.mjs'],
  ['licenses', 'node scripts/check-licenses.mjs'],
  ['tarballs', 'node scripts/check-pack.mjs'],
  ['peer floors', 'node scripts/check-peers.mjs'],
  ['third party', 'node scripts/check-third-party.mjs'],
  ['sizes', 'size-limit'],
  ['tests', 'npm test -- --json --outputFile=reports/jest.json'],
];

mkdirSync('reports', { recursive: true });
rmSync('reports/jest.json', { force: true });

const results = steps
  .filter(([name]) => name !== 'tests' || !process.argv.includes('--no-tests'))
  .map(([name, command]) => {
    console.log(`\n== ${name}: ${command}`);
    const start = performance.now();
    const { status } = spawnSync(command, { shell: true, stdio: 'inherit' });
    return { name, passed: status === 0, seconds: (performance.now() - start) / 1000 };
  });

console.log('\n== summary');
for (const { name, passed, seconds } of results) {
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s`);
}
if (results.some(({ passed }) => !passed)) process.exitCode = 1;
