import type { ChapterState, Scene } from './frame.ts';
import { brokenPromises, CHAPTER_HEAD, chapterLine, type ChapterResult } from './report.ts';
import { STORY, type Chapter } from './story.ts';
import { since, type Tally } from './tally.ts';
import { openView } from './view.ts';
import type { World } from './world.ts';

/** A step of the time line in the live view. */
const STEP_MS = 400;

async function tellOne(world: World, chapter: Chapter): Promise<ChapterResult> {
  const before = { ...world.tally };
  const startedAt = Date.now();
  await chapter.run(world);
  await world.signInWhereNeeded();
  return { title: chapter.title, ms: Date.now() - startedAt, tally: since(before, world.tally) };
}

/** How far the story is, from the results so far. */
function chaptersAt(results: readonly ChapterResult[], runningMs: number): ChapterState[] {
  return STORY.map(({ title }, index) => {
    const result = results[index];
    if (result !== undefined) {
      return { title, state: brokenPromises(result.tally) === 0 ? 'kept' : 'BROKEN', ms: result.ms };
    }
    return index === results.length
      ? { title, state: 'running', ms: runningMs }
      : { title, state: 'to come', ms: 0 };
  });
}

/** Tells the whole story: live in a terminal, chapter by chapter elsewhere. */
export async function tellStory(title: string, world: World): Promise<void> {
  const { authorizationServer, latencies, tally } = world;
  const results: ChapterResult[] = [];
  const history: Tally[] = [];
  const startedAt = Date.now();
  let chapterAt = startedAt;

  const sceneNow = (): Scene => {
    const now = Date.now();
    const chapters = chaptersAt(results, now - chapterAt);
    const token = authorizationServer.issuance.newest();
    return { title, ms: now - startedAt, chapters, token, now, tally, latencies, history };
  };
  const timer = setInterval(() => history.push({ ...tally }), STEP_MS);
  const view = openView(sceneNow);
  view.say(`${title}\n\n${CHAPTER_HEAD}`);
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
