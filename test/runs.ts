const SOAK = process.env['SOAK'] === '1';
const given = process.env['SEED'];

/**
 * How often a property is tried: a hundred times as often in a soak, and there with values of its own. fast-check
 * prints the seed of a failure; `SEED` tries it again.
 */
export function runs(numRuns: number): { numRuns: number; seed: number } {
  const seed = given === undefined ? (SOAK ? Date.now() | 0 : 20_260_101) : Number(given);
  return { numRuns: SOAK ? numRuns * 100 : numRuns, seed };
}
