import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import sizeLimit from 'size-limit';
import { verdict, type Row, type Table } from './harness.ts';

type Preset = Parameters<typeof sizeLimit>[0];
// It has no types of its own.
const { default: preset } = (await import('@size-limit/preset-small-lib' as string)) as { default: Preset };

const ROOT = fileURLToPath(new URL('../', import.meta.url));

interface Part {
  readonly name: string;
  readonly imported: string;
  /** Bundled with it. */
  readonly beside?: { readonly name: string; readonly imported: string };
  /** Left out, being there anyway. */
  readonly without?: readonly string[];
  /** In kB. */
  readonly target?: number;
}

const ours = (name: string, imported: string, without: string[]): Part => ({
  name: `@unexpired/${name}`,
  imported,
  without: ['@unexpired/core', ...without],
  target: 1.5,
});

const CORE = { name: '@unexpired/core', imported: '{ createTokenSource }' };

/** An adapter with all of core that it uses, as an application has it. */
const together = (client: string, imported: string, without: string[]): Part => ({
  name: `unexpired, ${client}`,
  imported,
  beside: CORE,
  without,
});

/** Of each package, what an application imports. */
const PARTS: readonly Part[] = [
  together('axios', '{ axiosAuth }', ['axios']),
  together('ky', '{ kyAuth }', ['ky']),
  together('got', '{ gotAuth }', ['got']),
  together('fetch', '{ fetchAuth }', []),
  together('undici', '{ undiciAuth }', []),
  { ...CORE, target: 7 },
  { name: '@unexpired/oauth', imported: '{ refreshTokenGrant }', without: ['@unexpired/core'] },
  ours('axios', '{ axiosAuth }', ['axios']),
  ours('ky', '{ kyAuth }', ['ky']),
  ours('got', '{ gotAuth }', ['got']),
  ours('fetch', '{ fetchAuth }', []),
  { ...ours('undici', '{ undiciAuth }', []), target: 2 },
  { name: 'axios-auth-refresh', imported: '{ createAuthRefresh }', without: ['axios'] },
  { name: 'axios-jwt', imported: '{ applyAuthTokenInterceptor, setAuthTokens }', without: ['axios'] },
  { name: 'fetch-extras', imported: '{ withTokenRefresh, withHeaders }' },
  { name: '@badgateway/oauth2-client', imported: '{ OAuth2Client, OAuth2Fetch }' },
  { name: '@azure/core-rest-pipeline', imported: '{ bearerTokenAuthenticationPolicy }' },
  { name: 'google-auth-library', imported: '{ OAuth2Client }' },
];

/** What was built is measured, not the sources that this process runs. */
function pathOf(name: string): string {
  const [, own] = /^(?:@unexpired\/|unexpired, )(.+)$/.exec(name) ?? [];
  return own === undefined
    ? fileURLToPath(import.meta.resolve(name))
    : `${ROOT}packages/${own}/dist/index.js`;
}

async function sizeOf({ name, imported, beside, without = [] }: Part): Promise<number> {
  const path = pathOf(name);
  const check = {
    files: [path],
    import: { [path]: imported, ...(beside && { [pathOf(beside.name)]: beside.imported }) },
    ignore: [...without, ...builtinModules, ...builtinModules.map((module) => `node:${module}`)],
  };
  const [result] = (await sizeLimit(preset, { cwd: ROOT, configPath: ROOT, checks: [check] })) as {
    size: number;
  }[];
  return result!.size;
}

async function rowOf(part: Part): Promise<Row> {
  const { name, target } = part;
  const kB = (await sizeOf(part)) / 1000;
  const row = { with: name, kB: kB.toFixed(1) };
  return target === undefined ? row : { ...row, target, verdict: verdict(kB <= target) };
}

export async function sizes(): Promise<Table[]> {
  const rows = [];
  for (const part of PARTS) rows.push(await rowOf(part));
  return [
    {
      title: 'Size of what an application imports, in kB (targets: core 7, adapters 1.5)',
      note:
        'Minified and compressed by brotli, with dependencies; without the HTTP client and what Node has. Beside the ' +
        'name of a client: with core. The packages themselves: without core.',
      rows,
    },
  ];
}
