// Sends the same requests before and after each migration, and compares what happens with the tables of docs/migration.md.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect as axiosAuthRefreshAfter } from './axios-auth-refresh/after.ts';
import { connect as axiosAuthRefreshBefore } from './axios-auth-refresh/before.ts';
import { connect as axiosJwtAfter } from './axios-jwt/after.ts';
import { connect as axiosJwtBefore } from './axios-jwt/before.ts';
import { axios, got, ky } from './clients.ts';
import { connect as gotAfter } from './got/after.ts';
import { connect as gotBefore } from './got/before.ts';
import { connect as kyAfter } from './ky/after.ts';
import { connect as kyBefore } from './ky/before.ts';
import { measure, type Connect } from './situations.ts';

/** By heading of docs/migration.md, and there by column. */
const migrations: Record<string, Record<string, Connect>> = {
  'From axios-auth-refresh': {
    defaults: async (place, first, hook) => axios(axiosAuthRefreshBefore(place, first), hook),
    '`deduplicateRefresh: false`': async (place, first, hook) =>
      axios(axiosAuthRefreshBefore(place, first, { deduplicateRefresh: false }), hook),
    unexpired: async (place, first, hook) => axios(await axiosAuthRefreshAfter(place, first), hook),
  },
  'From axios-jwt': {
    'axios-jwt': async (place, first, hook) => axios(await axiosJwtBefore(place, first), hook),
    unexpired: async (place, first, hook) => axios(axiosJwtAfter(place, first), hook),
  },
  'From the recipe of ky': {
    recipe: async (place, first, hook) => ky(kyBefore(place, first), hook),
    '`shared: true`': async (place, first, hook) => ky(kyBefore(place, first, { shared: true }), hook),
    unexpired: async (place, first, hook) => ky(await kyAfter(place, first), hook),
  },
  'From the recipe of got': {
    recipe: async (place, first, hook) => got(gotBefore(place, first), hook),
    '`shared: true`': async (place, first, hook) => got(gotBefore(place, first, { shared: true }), hook),
    unexpired: async (place, first, hook) => got(await gotAfter(place, first), hook),
  },
};

type Row = readonly string[];

const guide = readFileSync(new URL('../../docs/migration.md', import.meta.url), 'utf8');

/** The rows of the table "Five requests" under a heading, without the line of dashes. */
function statedUnder(heading: string): Row[] {
  const section = guide.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const table = /^\| Five requests .*(?:\n\|.*)+/m.exec(section)?.[0] ?? '';
  const rows = table.split('\n').map((line) => line.split('|').slice(1, -1));
  return rows.map((cells) => cells.map((cell) => cell.trim())).filter(([first]) => !/^-*$/.test(first ?? ''));
}

async function measured(heading: string): Promise<Row[]> {
  const columns = migrations[heading] ?? {};
  const all: Record<string, string>[] = [];
  for (const connect of Object.values(columns)) all.push(await measure(connect, heading.includes('axios')));
  const labels = Object.keys(all[0] ?? {});
  const rows = labels.map((label) => [label, ...all.map((column) => column[label] ?? '')]);
  return [['Five requests', ...Object.keys(columns)], ...rows];
}

for (const heading of Object.keys(migrations)) {
  const rows = await measured(heading);
  console.log(`\n${heading}\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}`);
  assert.deepEqual(
    rows,
    statedUnder(heading),
    `docs/migration.md states under "${heading}" what was measured`,
  );
}
