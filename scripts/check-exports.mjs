// Every value that a source file exports is used by another file, or is public. Types may be named for their own sake.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { importsOf } from './imports.mjs';
import { packages, report } from './packages.mjs';

const files = globSync(['packages/*/{src,test}/**/*.ts', 'examples/**/*.ts', 'benchmarks/**/*.ts']).sort();
const sources = files.map((file) => ts.createSourceFile(file, readFileSync(file, 'utf8'), 99, true));

const used = new Set(
  sources.flatMap((source) =>
    importsOf(source).flatMap(({ from, names }) =>
      names.map(({ name }) => `${join(source.fileName, '..', from)}#${name}`),
    ),
  ),
);
const publicFiles = packages.flatMap(({ path, manifest }) =>
  Object.values(manifest.exports).map((target) => join(path, target['@unexpired/source'] ?? '')),
);

const isType = (node) => ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);

function exportedValues({ statements }) {
  return statements
    .filter((node) => node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword))
    .filter((node) => !isType(node))
    .flatMap((node) => node.declarationList?.declarations ?? [node])
    .map((node) => node.name.text);
}

const unused = sources
  .filter(({ fileName }) => fileName.includes('/src/') && !publicFiles.includes(fileName))
  .flatMap((source) =>
    exportedValues(source)
      .filter((name) => !used.has(`${source.fileName}#${name}`) && !used.has(`${source.fileName}#*`))
      .map((name) => `${source.fileName}: ${name} is exported and used nowhere else`),
  );
report(unused, `the exports of ${files.length} files are used`);
