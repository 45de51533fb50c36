// Draws docs/images/timeline.svg from one expiry that it records. `--check` says whether the file is what it would draw.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { draw, tell } from './timeline/picture.mjs';
import { record } from './timeline/record.mjs';
import { library, recipe } from './timeline/sides.mjs';

const file = 'docs/images/timeline.svg';

const sides = [
  { heading: 'Refresh on 401, by hand', recording: await record(recipe) },
  { heading: 'fetchAuth of @unexpired/fetch', recording: await record(library) },
];
for (const { heading, recording } of sides)
  console.log(`${heading}: ${Object.values(tell(recording)).join(', ')}`);

const picture = draw(sides);
if (!process.argv.includes('--check')) {
  mkdirSync('docs/images', { recursive: true });
  writeFileSync(file, picture);
} else if (readFileSync(file, 'utf8') !== picture) {
  console.error(`${file} is not what is recorded now: npm run timeline`);
  process.exitCode = 1;
}
