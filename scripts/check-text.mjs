// What no compiler sees in a text file: hidden characters, secrets, dead references, tests that do not run.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { report } from './packages.mjs';

const ignored = new Set(['node_modules', 'dist', 'coverage', 'reports']);
const text = /(?:\.(?:ts|js|mjs|json|md|sh|txt|yml)|(?:^|\/)(?:\.npmrc|\.gitignore|LICENSE|run))$/;
const files = globSync(['**/*', '.*', '.ci/*'], { exclude: (name) => ignored.has(basename(name)) })
  .filter((file) => text.test(file))
  .sort();
const markdownFiles = new Set(files.filter((file) => file.endsWith('.md')).map((file) => basename(file)));

const isTest = (file) => /(?:^|\/)test\//.test(file);

/** Names of Markdown files in prose and comments that are nowhere in the repository. */
function unknownMentions(line) {
  const names = [...line.matchAll(/(?<![\w./*-])(?:[\w-]+\/)*([\w-]+\.md)\b/g)].map((match) => match[1]);
  return names.filter((name) => !markdownFiles.has(name));
}

function brokenLinks(line, file) {
  if (!file.endsWith('.md')) return [];
  const targets = [...line.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map((match) => match[1]);
  return targets.filter((target) => !existsSync(join(dirname(file), target)));
}

const faults = {
  'a hidden or bidirectional control character': (line) =>
    /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(line.replaceAll('\t', '')),
  'what looks like a secret': (line) =>
    /-----BEGIN [A-Z ]*PRIVATE KEY|\b(?:npm|ghp|gho|github_pat)_\w{30}|\bAKIA[A-Z0-9]{16}\b/.test(line),
  'the address of a package registry': (line) => /https?:\/\/[\w.-]*(?:registry|npm)[\w.-]*\//.test(line),
  'a path outside the repository': (line) =>
    /(?<![\w.])\/(?:work|root|home|Users)\/|\.\.\/shared\/|\bshared\/(?:design|toolchain)\b/.test(line),
  'a file that does not exist': (line, file) =>
    unknownMentions(line).length > 0 || brokenLinks(line, file).length > 0,
  'a focused test': (line, file) =>
    isTest(file) && /\b(?:it|test|describe)(?:\.\w+)*\.only\b|^\s*f(?:it|describe)\(/.test(line),
  'a skipped test; say why in a comment on this line or the one above': (line, file, above) =>
    isTest(file) &&
    /\b(?:test|it|describe)\.(?:skip|todo|failing)\b|^\s*x(?:it|test|describe)\(/.test(line) &&
    !/\/\/ \w/.test(above + line),
};

const problems = files.flatMap((file) => {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, i) =>
    Object.entries(faults)
      .filter(([, finds]) => finds(line, file, lines[i - 1] ?? ''))
      .map(([fault]) => `${file}:${i + 1}: ${fault}`),
  );
});
report(problems, `${files.length} text files are clean`);
