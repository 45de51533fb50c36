// Runs every example as a user would; each must end by itself with exit code 0. The demo has a script of its own.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

const examples = globSync('examples/*/main.ts')
  .filter((file) => file !== 'examples/demo/main.ts')
  .sort();
const failed = examples.filter((file) => {
  console.log(`\n== ${file}`);
  const args = ['--conditions=@unexpired/source', file];
  return spawnSync(process.execPath, args, { stdio: 'inherit', timeout: 180_000 }).status !== 0;
});
console.log(`\n${examples.length - failed.length} of ${examples.length} examples pass`);
for (const file of failed) console.error(`failed: ${file}`);
if (failed.length > 0) process.exitCode = 1;
