import { burst } from './burst.ts';
import { hotPath } from './hot-path.ts';
import { late401s } from './late-401s.ts';
import { loopback } from './loopback.ts';
import { sizes } from './sizes.ts';
import { steady } from './steady.ts';
import { upload } from './upload.ts';
import type { Benchmark } from './harness.ts';
import { print, record } from './report.ts';

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  'hot-path': hotPath,
  loopback,
  burst,
  'late-401s': late401s,
  steady,
  upload,
  sizes,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(
    `There is no benchmark ${unknown.join(', ')}. There are: ${Object.keys(BENCHMARKS).join(', ')}.`,
  );
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : Object.keys(BENCHMARKS)) {
  const tables = await BENCHMARKS[name]!();
  tables.forEach(print);
  record(name, tables);
}
