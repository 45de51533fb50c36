// Reads the file and writes in place what it read, later and without a lock, or deletes it, until it is killed.
import { rmSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const [path, how] = process.argv.slice(2);
for (;;) {
  try {
    const text = readFileSync(path!);
    await setTimeout(5);
    if (how === 'deletes') rmSync(path!);
    writeFileSync(path!, text);
    process.stdout.write('.\n');
  } catch {
    // Not there yet.
  }
  await setTimeout(Math.random() * 20);
}
