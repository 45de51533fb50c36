// Which package may import what, and how long an adapter may be. The rules are docs/architecture.md and CONTRIBUTING.md in
// data.
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import ts from 'typescript';
import { importsOf } from './imports.mjs';
import { packages, report } from './packages.mjs';

const scope = '@unexpired/';
const coreDependencies = ['async-mutex', 'p-retry'];
/** What runs in browsers, Deno, Bun and workers is compiled without Node's types, with these libraries. */
const webPackages = ['core', 'oauth', 'fetch', 'ky', 'axios', 'store-browser'];
const webLibs = ['es2024', 'dom', 'esnext.disposable'];
const browserGlobals = ['window', 'document', 'localStorage'];
/** What an adapter may take from its client at run time; everything else must be types. */
const clientValues = { axios: ['getAdapter'], undici: [] };
/** Lines of src/, all files together: the budget of an adapter, and what each that exists has of it, or beyond it. */
const adapterBudget = 150;
const adapterLines = { axios: 244, fetch: 115, got: 264, ky: 146, undici: 435 };

const packageOf = (specifier) => specifier.match(/^(?:@[^/]+\/)?[^/]+/)[0];

function faultOf({ from, names }, { folder, manifest, tsconfig }) {
  const webOnly = tsconfig.compilerOptions.types?.length === 0;
  if (isBuiltin(from)) return webOnly ? `is of Node, and ${folder} is for browsers too` : undefined;
  if (from.startsWith('.')) return undefined;
  // The race driver imports the store under test, wherever that is.
  if (folder === 'testing' && from === '(computed)') return undefined;
  const name = packageOf(from);
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
  if (!(name in declared)) return `is not among the dependencies of ${manifest.name}`;
  if (folder === 'core' && !coreDependencies.includes(name)) return 'is nothing that core may import';
  if (name.startsWith(scope) && !mayImport(folder, name.slice(scope.length))) {
    return `is not open to ${folder}: adapters and stores import core only`;
  }
  const surplus = names.filter((used) => !used.isType && clientValues[name]?.includes(used.name) === false);
  if (surplus.length > 0) {
    return `is imported at run time (${surplus.map((used) => used.name).join(', ')}); import types only`;
  }
  return undefined;
}

function mayImport(folder, other) {
  return other === 'core' || (folder.startsWith('store-') && other.startsWith('store-'));
}

function browserNames(source) {
  const found = [];
  const visit = (node) => {
    if (ts.isIdentifier(node) && browserGlobals.includes(node.text)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found.map((node) => `${place(source, node)} names ${node.text}, which only a page has`);
}

function place(source, node) {
  return `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1}`;
}

function sizeProblems({ folder }, sources) {
  if (/^(?:core|oauth|testing|store-.*)$/.test(folder)) return [];
  const allowed = adapterLines[folder] ?? adapterBudget;
  const lines = sources.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0);
  return lines > allowed
    ? [
        `packages/${folder}/src has ${lines} lines, ${allowed} are allowed: what two adapters need is for core`,
      ]
    : [];
}

function problemsOf(workspace) {
  const files = globSync(`${workspace.path}/src/**/*.ts`).sort();
  const sources = files.map((file) => ts.createSourceFile(file, readFileSync(file, 'utf8'), 99, true));
  const faults = sources.flatMap((source) => [
    ...importsOf(source)
      .map((found) => [found.from, faultOf(found, workspace)])
      .filter(([, fault]) => fault !== undefined)
      .map(([from, fault]) => `${source.fileName}: ${from} ${fault}`),
    ...(workspace.folder === 'core' ? browserNames(source) : []),
  ]);
  return [...faults, ...sizeProblems(workspace, sources)];
}

function webConfigProblems({ folder, tsconfig }) {
  const { types, lib } = tsconfig.compilerOptions;
  const asked = JSON.stringify([[], webLibs]);
  if (!webPackages.includes(folder) || JSON.stringify([types, lib]) === asked) return [];
  return [`packages/${folder}/tsconfig.json: [types, lib] must be ${asked}`];
}

const problems = packages.flatMap((workspace) => [...webConfigProblems(workspace), ...problemsOf(workspace)]);
report(problems, `${packages.length} packages keep their boundaries`);
