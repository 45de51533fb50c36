import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { styleText } from 'node:util';
import type { Table } from './harness.ts';

const WIDTH = 80;
const FILE = new URL('results.json', import.meta.url);

/** Text to the left, figures to the right. */
function linesOf({ rows }: Table): string[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '')))];
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const isFigure = names.map((name) => rows.some((row) => /^-?\d/.test(String(row[name]))));
  const pad = (cell: string, i: number): string =>
    isFigure[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!);
  return cells.map((row) => row.map(pad).join('  ').trimEnd());
}

function wrap(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    if (lines.at(-1)!.length + word.length >= WIDTH) lines.push('');
    lines.push(`${lines.pop()!} ${word}`.trim());
  }
  return lines.join('\n');
}

export function print(table: Table): void {
  const [head, ...lines] = linesOf(table);
  console.log(`\n${styleText('bold', table.title)}\n${wrap(table.note)}\n\n${head}`);
  for (const line of lines) console.log(line);
}

interface Results {
  machine: Record<string, string | number>;
  packages: Record<string, string>;
  benchmarks: Record<string, { date: string; load: string; tables: readonly Table[] }>;
}

const MEASURED = [
  'axios',
  'ky',
  'got',
  'undici',
  'axios-auth-refresh',
  'axios-jwt',
  'fetch-extras',
  '@badgateway/oauth2-client',
  'google-auth-library',
  '@azure/core-rest-pipeline',
  'proper-lockfile',
  'redis',
  'mitata',
];

const read = (file: URL): unknown => JSON.parse(readFileSync(file, 'utf8'));

function versions(): Record<string, string> {
  const manifest = read(new URL('../package.json', import.meta.url)) as {
    readonly version: string;
    readonly devDependencies: Record<string, string>;
  };
  const others = MEASURED.map((name) => [name, manifest.devDependencies[name]!]);
  return { unexpired: manifest.version, ...Object.fromEntries(others) };
}

function machine(): Results['machine'] {
  const cpus = os.cpus();
  return {
    processor: cpus[0]?.model ?? 'unknown',
    cores: cpus.length,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    system: `${os.type()} ${os.release()}`,
    node: process.version,
  };
}

/** Puts one benchmark's tables in the place of those before. */
export function record(name: string, tables: readonly Table[]): void {
  const { benchmarks } = read(FILE) as Results;
  const current = { date: new Date().toISOString(), load: os.loadavg()[0]!.toFixed(1), tables };
  const results: Results = {
    machine: machine(),
    packages: versions(),
    benchmarks: { ...benchmarks, [name]: current },
  };
  writeFileSync(FILE, `${JSON.stringify(results, null, 2)}\n`);
}
