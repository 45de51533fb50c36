// What takes too long for every change: the properties over many more schedules, thousands of 401s through each client;
// the races and kills of processes over each shared store, in their full counts; then mutants of the pure modules.
// `npm run soak -- processes` runs one part.
import { spawnSync } from 'node:child_process';

const parts = {
  tests: String.raw`npm test -- --testPathIgnorePatterns '\.process\.test\.ts$'`,
  // One after another: each has as many processes as the machine can bear.
  processes: String.raw`npm test -- --runInBand '\.process\.test\.ts$'`,
  mutants: 'stryker run',
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}. There are: ${Object.keys(parts).join(', ')}.`);
  process.exit(2);
}

function passes(name) {
  // The mutants are judged by the short counts, hundreds of times.
  const soaks = name === 'mutants' ? {} : { SOAK: '1' };
  const options = { shell: true, stdio: 'inherit', env: { ...process.env, ...soaks } };
  return spawnSync(parts[name], options).status === 0;
}

const outcomes = (asked.length > 0 ? asked : Object.keys(parts)).map(passes);
if (outcomes.includes(false)) process.exitCode = 1;
