// What takes too long for every change: the properties over many more schedules, thousands of 401s through each client,
// then mutants of the pure modules.
import { spawnSync } from 'node:child_process';

function run(command, env) {
  return spawnSync(command, { shell: true, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;
}

const passed = [run('npm test', { SOAK: '1' }), run('stryker run')];
if (passed.includes(false)) process.exitCode = 1;
