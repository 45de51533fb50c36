// What takes too long for every change: the properties over many more schedules, then mutants of the pure modules.
import { spawnSync } from 'node:child_process';

const run = (command) =>
  spawnSync(command, { shell: true, stdio: 'inherit', env: { ...process.env, SOAK: '1' } }).status === 0;

const passed = [run('npm test'), run('stryker run')];
if (passed.includes(false)) process.exitCode = 1;
