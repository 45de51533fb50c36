// The public names of each package, compared with the checked-in list, and looked for in the glossary. `--write` updates
// the list.
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import ts from 'typescript';
import { packages, report } from './packages.mjs';

const folder = 'docs/api';
const glossary = 'docs/glossary.md';

/** The source file of each public entry: `.` is the package itself, `./x` is `@unexpired/name/x`. */
function entriesOf({ path, manifest }) {
  return Object.entries(manifest.exports)
    .filter(([, target]) => target['@unexpired/source'])
    .map(([entry, target]) => ({
      specifier: manifest.name + entry.slice(1),
      file: `${path}/${target['@unexpired/source'].slice(2)}`,
    }));
}

function namesOf(program, { specifier, file }) {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const exports = checker.getExportsOfModule(checker.getSymbolAtLocation(source));
  const lines = exports.map((symbol) => `${isValue(checker, symbol) ? 'value' : 'type '} ${symbol.name}`);
  return [`# ${specifier}`, ...lines.sort()];
}

function isValue(checker, symbol) {
  const typeOnly = symbol.declarations?.some((node) => ts.isTypeOnlyExportDeclaration(node));
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return !typeOnly && (target.flags & ts.SymbolFlags.Value) !== 0;
}

function starExports(program, { file }) {
  const isStar = (node) => ts.isExportDeclaration(node) && node.exportClause === undefined;
  return program.getSourceFile(file).statements.some(isStar)
    ? [`${file}: public names are listed one by one, not by "export *"`]
    : [];
}

function difference(file, old, current) {
  const removed = old.filter((line) => !current.includes(line)).map((line) => `- ${line}`);
  const added = current.filter((line) => !old.includes(line)).map((line) => `+ ${line}`);
  if (removed.length + added.length === 0) return [];
  return [`${file} differs from the sources:`, ...removed, ...added];
}

const entries = packages.flatMap(entriesOf);
const missing = entries.filter(({ file }) => !existsSync(file)).map(({ file }) => `${file} is missing`);
const listed = packages.filter((workspace) => entriesOf(workspace).every(({ file }) => existsSync(file)));
const program = ts.createProgram(
  listed.flatMap(entriesOf).map(({ file }) => file),
  {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    customConditions: ['@unexpired/source'],
    allowImportingTsExtensions: true,
    noEmit: true,
    noLib: true,
    types: [],
  },
);

const explained = new Set([...readFileSync(glossary, 'utf8').matchAll(/`(\w+)`/g)].map(([, name]) => name));

function unexplained(lines) {
  const names = lines.filter((line) => !line.startsWith('#')).map((line) => line.slice('value '.length));
  return names.filter((name) => !explained.has(name)).map((name) => `${glossary} does not name ${name}`);
}

function problemsOf(workspace) {
  const file = `${folder}/${workspace.folder}.txt`;
  const current = entriesOf(workspace).flatMap((entry) => namesOf(program, entry));
  if (process.argv.includes('--write')) writeFileSync(file, `${current.join('\n')}\n`);
  const old = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  const stars = entriesOf(workspace).flatMap((entry) => starExports(program, entry));
  return { changed: [...stars, ...difference(file, old, current)], unnamed: unexplained(current) };
}

mkdirSync(folder, { recursive: true });
const unknown = globSync(`${folder}/*.txt`).filter(
  (file) => !existsSync(`packages/${basename(file, '.txt')}`),
);
const found = listed.map(problemsOf);
const problems = [
  ...missing,
  ...unknown.map((file) => `${file} is of no package`),
  ...found.flatMap(({ changed }) => changed),
];
if (problems.length > 0) problems.push('If the change is meant: node scripts/check-api.mjs --write');
problems.push(...found.flatMap(({ unnamed }) => unnamed));
report(
  problems,
  `the public names of ${listed.length} packages are as listed in ${folder}, and in ${glossary}`,
);
