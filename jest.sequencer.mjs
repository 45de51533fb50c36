import Sequencer from '@jest/test-sequencer';

/** Tests that wait for processes take the longest, and their files are short. */
const LONGEST_FIRST = [/(race|process-suite)\.process\.test\.ts$/, /\.process\.test\.ts$/, /suite/];

/** A machine that has measured no test yet begins with the largest files; the longest tests would end alone. */
export default class extends Sequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    const first = LONGEST_FIRST.flatMap((name) => sorted.filter(({ path }) => name.test(path)));
    return [...new Set([...first, ...sorted])];
  }
}
