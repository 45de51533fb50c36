// What the pages quote between `<!-- figures: NAME -->` and `<!-- /figures -->` is what benchmarks/results.json holds.
// `--write` puts it there.
import { readFileSync, writeFileSync } from 'node:fs';
import { report } from './packages.mjs';

const pages = ['README.md', 'docs/benchmarks.md'];
const block = /(?<open><!-- figures: (?<name>[\w-]+) -->\n).*?(?<close><!-- \/figures -->)/gs;

const { machine, packages, benchmarks } = JSON.parse(readFileSync('benchmarks/results.json', 'utf8'));

function tableOf(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const cellsOf = (row) => names.map((name) => row[name] ?? '');
  return [line(names), `|${'---|'.repeat(names.length)}`, ...rows.map((row) => line(cellsOf(row)))].join(
    '\n',
  );
}

const tablesOf = ({ tables }) =>
  tables.map(({ title, note, rows }) => `**${title}.** ${note}\n\n${tableOf(rows)}`).join('\n\n');

function machineOf() {
  const dates = Object.values(benchmarks).map(({ date }) => Date.parse(date));
  const day = (date) => new Date(date).toISOString().slice(0, 10);
  const when = [...new Set([day(Math.min(...dates)), day(Math.max(...dates))])].join(' to ');
  const versions = Object.entries(packages).map((entry) => entry.join(' '));
  const { processor, cores, memory, system, node } = machine;
  const loads = Object.values(benchmarks).map(({ load }) => Number(load));
  const load = `load average ${Math.min(...loads)} to ${Math.max(...loads)} after each, its own processes included`;
  return `Measured ${when} on ${cores} cores of ${processor}, ${memory}, ${system}, Node ${node} (${load}), with ${versions.join(', ')}.`;
}

/** A cell of the row that names this contender, or a dash where it was not measured. */
function cell(benchmark, table, contender, column) {
  const row = benchmarks[benchmark].tables[table].rows.find((each) => each.with === contender);
  return row?.[column] ?? '–';
}

function overview() {
  const contenders = benchmarks['late-401s'].tables[0].rows.map((row) => row.with);
  return tableOf(
    contenders.map((name) => ({
      with: name,
      'adds to a GET, µs': cell('hot-path', 0, name, 'adds µs'),
      'burst of 10,000: time': `${cell('burst', 0, name, 'ratio')} ×`,
      'adds to each that waits, bytes': cell('burst', 1, name, 'adds bytes'),
      'exchanges for 10 late 401s': cell('late-401s', 0, name, 'exchanges'),
      'adds to an upload, MiB': cell('upload', 0, name, 'adds MiB'),
      'size, kB': cell('sizes', 0, name, 'kB'),
    })),
  );
}

const contents = {
  machine: machineOf,
  overview,
  ...Object.fromEntries(Object.keys(benchmarks).map((name) => [name, () => tablesOf(benchmarks[name])])),
};

function withFigures(text, page) {
  return text.replace(block, (...match) => {
    const { open, name, close } = match.at(-1);
    if (!(name in contents)) throw new Error(`${page}: there are no figures ${name}`);
    return `${open}\n${contents[name]()}\n\n${close}`;
  });
}

const problems = pages.flatMap((page) => {
  const text = readFileSync(page, 'utf8');
  const current = withFigures(text, page);
  if (process.argv.includes('--write')) writeFileSync(page, current);
  else if (text !== current)
    return [
      `${page} quotes other figures than benchmarks/results.json: node scripts/check-figures.mjs --write`,
    ];
  return [];
});
report(problems, `${pages.join(' and ')} quote benchmarks/results.json`);
