import { parseArgs } from 'node:util';
import { callersHere, type OpenCallers } from './callers.ts';
import { CLIENTS } from './clients.ts';
import type { ChapterState } from './frame.ts';
import {
  brokenPromises,
  CHAPTER_HEAD,
  CHAPTER_LEGEND,
  chapterLine,
  missingEvents,
  problemTable,
  table,
  verdict,
  type ChapterResult,
} from './report.ts';
import { STORY, type Chapter } from './story.ts';
import { since, type Counts } from './tally.ts';
import { openView } from './view.ts';
import { callersInProcesses } from './processes.ts';
import { createWorld, type World } from './world.ts';

const KEPT = 0;
const BROKEN = 1;
/** Crashed, or told a story in which too little happened to judge by. */
const NO_PROOF = 2;

interface Way {
  readonly title: string;
  readonly note: string;
  readonly openCallers: OpenCallers;
  readonly processes: number;
}

const CAREFUL = `
Each client refreshing for itself, as READMEs have it, ends the sign-in at the
first expiry (docs/migration.md), so that there would be nothing to see here.
`;

/** A step of the time line in the live view. */
const STEP_MS = 400;

async function tellOne(world: World, chapter: Chapter): Promise<ChapterResult> {
  const before = { ...world.tally.all };
  const startedAt = Date.now();
  await chapter.run(world);
  await world.signInWhereNeeded();
  return { title: chapter.title, ms: Date.now() - startedAt, counts: since(before, world.tally.all) };
}

/** How far the story is, from the results so far. */
function chaptersAt(results: readonly ChapterResult[], runningMs: number): ChapterState[] {
  return STORY.map(({ title }, index) => {
    const result = results[index];
    if (result !== undefined) {
      return { title, state: brokenPromises(result.counts) === 0 ? 'kept' : 'BROKEN', ms: result.ms };
    }
    const isRunning = index === results.length;
    return { title, state: isRunning ? 'running' : 'to come', ms: isRunning ? runningMs : 0 };
  });
}

/** Tells the whole story: live in a terminal, chapter by chapter elsewhere. */
async function tellStory({ title, note }: Way, world: World): Promise<void> {
  const { authorizationServer, tally } = world;
  const results: ChapterResult[] = [];
  const history: Counts[] = [];
  const startedAt = Date.now();
  let chapterAt = startedAt;

  const view = openView(() => {
    const now = Date.now();
    const chapters = chaptersAt(results, now - chapterAt);
    const token = authorizationServer.issuance.newest();
    return { title, ms: now - startedAt, chapters, token, now, tally, history };
  });
  const timer = setInterval(() => history.push({ ...tally.all }), STEP_MS);
  view.say(`${title}\n${note}\n${CHAPTER_HEAD}`);
  try {
    for (const chapter of STORY) {
      chapterAt = Date.now();
      const result = await tellOne(world, chapter);
      results.push(result);
      view.say(chapterLine(result));
    }
  } finally {
    view.close();
    clearInterval(timer);
  }
}

/** The same story with one way or the other of keeping an access token fresh, and what is to be said of it. */
async function demo(way: Way): Promise<number> {
  const world = await createWorld(way.openCallers, way.processes);
  try {
    await tellStory(way, world);
  } finally {
    await world.close();
  }
  const { tally, latencies, problems } = world;
  console.log(`${CHAPTER_LEGEND}\n\n${table(tally, latencies)}\n`);
  if (problems.size > 0) console.log(`${problemTable(problems)}\n`);
  const missing = missingEvents(tally);
  if (missing.length > 0) console.log(`What did not happen:\n  ${missing.join('\n  ')}\n`);
  console.log(verdict(tally));
  if (brokenPromises(tally.all) > 0) return BROKEN;
  return missing.length > 0 ? NO_PROOF : KEPT;
}

function crash(error: unknown): never {
  console.error('\nThe demo itself failed:', error);
  process.exit(NO_PROOF);
}

const TITLE = CLIENTS.join(', ');

/** The way that the arguments ask for. */
async function readArguments(): Promise<Way> {
  const { values } = parseArgs({
    options: { without: { type: 'boolean', default: false }, processes: { type: 'string', default: '1' } },
  });
  const processes = Number(values.processes);
  if (!Number.isInteger(processes) || processes < 1) {
    throw new TypeError(`--processes takes a number from 1, not ${values.processes}`);
  }
  if (values.without) {
    if (processes > 1) throw new TypeError('--without has no file to share: leave out --processes');
    const { connect } = await import('./without.ts');
    const title = `${TITLE} with their usual recipes and one shared refresh`;
    return { title, note: CAREFUL, openCallers: callersHere(connect), processes };
  }
  if (processes > 1) {
    const title = `${TITLE} with unexpired, in ${processes} processes on one file`;
    return { title, note: '', openCallers: callersInProcesses(processes), processes };
  }
  const { connect } = await import('./with.ts');
  return { title: `${TITLE} with unexpired`, note: '', openCallers: callersHere(connect), processes };
}

process.once('uncaughtException', crash);
try {
  process.exitCode = await demo(await readArguments());
} catch (error) {
  crash(error);
}
