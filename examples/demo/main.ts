import { parseArgs } from 'node:util';
import type { Connect } from './clients.ts';
import { brokenPromises, missingEvents, problemLines, table, verdict } from './report.ts';
import { tellStory } from './tell.ts';
import { createWorld } from './world.ts';

const KEPT = 0;
const BROKEN = 1;
/** Crashed, or told a story in which too little happened to judge by. */
const NO_PROOF = 2;

/** The same story with one way or the other of keeping an access token fresh, and what is to be said of it. */
async function demo(title: string, connect: Connect): Promise<number> {
  const world = await createWorld(connect);
  try {
    await tellStory(title, world);
  } finally {
    await world.close();
  }
  const { tally, latencies, problems } = world;
  console.log(`\n${table(tally, latencies)}\n`);
  if (problems.size > 0) console.log(`What callers got instead:\n${problemLines(problems).join('\n')}\n`);
  const missing = missingEvents(tally);
  if (missing.length > 0) console.log(`What did not happen:\n  ${missing.join('\n  ')}\n`);
  console.log(verdict(tally));
  if (brokenPromises(tally) > 0) return BROKEN;
  return missing.length > 0 ? NO_PROOF : KEPT;
}

function crash(error: unknown): never {
  console.error('\nThe demo itself failed:', error);
  process.exit(NO_PROOF);
}

process.once('uncaughtException', crash);
try {
  const { values } = parseArgs({ options: { without: { type: 'boolean', default: false } } });
  const { connect } = await (values.without ? import('./without.ts') : import('./with.ts'));
  const way = values.without ? 'their usual recipes' : 'unexpired';
  process.exitCode = await demo(`axios and fetch with ${way}`, connect);
} catch (error) {
  crash(error);
}
