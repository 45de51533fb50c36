// Takes an access token the moment after the file was set back, as by a program that writes what it read long ago.
import { copyFileSync } from 'node:fs';
import '@unexpired/core';
import '../../src/index.ts';

const [path, , , older] = process.argv.slice(2);
copyFileSync(older!, path!);
await import('./token.ts');
