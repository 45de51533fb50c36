import { existsSync, readdirSync, readFileSync } from 'node:fs';

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** The workspaces that have a manifest, by folder name. The checks run from the root of the repository. */
export const packages = readdirSync('packages')
  .filter((folder) => existsSync(`packages/${folder}/package.json`))
  .map((folder) => ({
    folder,
    path: `packages/${folder}`,
    manifest: read(`packages/${folder}/package.json`),
    tsconfig: read(`packages/${folder}/tsconfig.json`),
  }));

/** Prints the problems, and makes the process fail if there are any. */
export function report(problems, success) {
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(success);
}
