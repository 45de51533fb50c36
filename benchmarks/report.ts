import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import type { Table } from './harness.ts';

const WIDTH = 80;
const FILE = new URL('results.json', import.meta.url);

function isNumeric(cell: unknown): boolean {
  return /^[-+~\d]/.test(String(cell));
}

/** A table that fits 80 columns: text to the left, figures to the right. */
export function print({ title, note, rows }: Table): void {
  const names = Object.keys(rows[0] ?? {});
  const cells = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '')))];
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const isRight = names.map((name) => rows.some((row) => isNumeric(row[name])));
  const lines = cells.map((row) =>
    row.map((cell, i) => (isRight[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  '),
  );
  console.log(`\n${title}\n${wrap(note)}\n`);
  for (const line of lines) console.log(` ${line.trimEnd()}`);
}

function wrap(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    if (lines.at(-1)!.length + word.length >= WIDTH) lines.push('');
    lines.push(`${lines.pop()!} ${word}`.trim());
  }
  return lines.join('\n');
}

interface Results {
  machine: Record<string, string | number>;
  packages: Record<string, string>;
  benchmarks: Record<string, { date: string; load: string; tables: readonly Table[] }>;
}

function versions(): Record<string, string> {
  const { devDependencies } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as {
    devDependencies: Record<string, string>;
  };
  const measured = [...PACKAGES].map((name): [string, string] => [name, devDependencies[name]!]);
  return Object.fromEntries(measured);
}

const PACKAGES = [
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
  'mitata',
];

function load(): Partial<Results> {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as Results;
  } catch {
    return {};
  }
}

const loadAverage = (): string => os.loadavg()[0]!.toFixed(1);

/** Puts one benchmark's tables in the place of those before. */
export function record(name: string, tables: readonly Table[]): void {
  const cpus = os.cpus();
  const results: Results = {
    machine: {
      processor: cpus[0]?.model ?? 'unknown',
      cores: cpus.length,
      memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
      system: `${os.type()} ${os.release()}`,
      node: process.version,
    },
    packages: versions(),
    benchmarks: {
      ...load().benchmarks,
      [name]: { date: new Date().toISOString(), load: loadAverage(), tables },
    },
  };
  writeFileSync(FILE, `${JSON.stringify(results, null, 2)}\n`);
}
