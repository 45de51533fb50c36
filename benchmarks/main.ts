// All benchmarks, or those that the command line names. Prints tables and keeps them in results.json.
import { accounts } from './accounts.ts';
import { burst } from './burst.ts';
import type { Benchmark } from './harness.ts';
import { handOver } from './hand-over.ts';
import { hotPath } from './hot-path.ts';
import { late401s } from './late-401s.ts';
import { loopback } from './loopback.ts';
import { print, record } from './report.ts';
import { sharedHotPath } from './shared-hot-path.ts';
import { sharedRace } from './shared-race.ts';
import { sizes } from './sizes.ts';
import { steady } from './steady.ts';
import { upload } from './upload.ts';

const BENCHMARKS: ReadonlyMap<string, Benchmark> = new Map(
  Object.entries({
    'hot-path': hotPath,
    loopback,
    burst,
    'late-401s': late401s,
    steady,
    upload,
    sizes,
    'hand-over': handOver,
    'shared-race': sharedRace,
    'shared-hot-path': sharedHotPath,
    accounts,
  }),
);

const names = [...BENCHMARKS.keys()];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !BENCHMARKS.has(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}. There are: ${names.join(', ')}.`);
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : names) {
  const start = performance.now();
  const tables = await BENCHMARKS.get(name)!();
  tables.forEach(print);
  console.log(`\n(${name}: ${((performance.now() - start) / 1000).toFixed(0)} s)`);
  record(name, tables);
}
