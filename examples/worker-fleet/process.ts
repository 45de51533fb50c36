// One process of the fleet: works until it is told to stop.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { createWorker, type WorkerSettings } from './worker.ts';

const worker = await createWorker(JSON.parse(process.env['WORKER_SETTINGS']!) as WorkerSettings);
let isOn = true;
const stop = once(process, 'SIGTERM').then(() => (isOn = false));
let served = 0;
try {
  for (; isOn; served += 1) {
    await worker.getJson('/jobs/next');
    if (served === 0) console.error('working');
    await Promise.race([pause(20), stop]);
  }
} finally {
  await worker.close();
}
console.log(served);
