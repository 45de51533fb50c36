import type { AdapterSuiteOptions } from './adapter-suite-driver.ts';
import { freshness } from './adapter-suite-freshness.ts';
import { runScenario, type Scenario } from './adapter-suite-world.ts';

function scenariosFor(): readonly Scenario[] {
  return [...freshness];
}

/**
 * Registers the cases that every adapter has to pass, each with an authorization server, resource servers and a client
 * of its own, over real sockets of 127.0.0.1.
 *
 * @throws TypeError where `skips` names a case that there is not
 */
export function runAdapterSuite(options: AdapterSuiteOptions): void {
  const { test, skips = {} } = options;
  const scenarios = scenariosFor();
  for (const name of Object.keys(skips)) {
    if (!scenarios.some((scenario) => scenario.name === name)) {
      throw new TypeError(`\`skips\` names a case that there is not: '${name}'`);
    }
  }
  for (const scenario of scenarios) {
    const { name } = scenario;
    const reason = skips[name];
    const run = (): Promise<void> => runScenario(options, scenario);
    if (reason === undefined) test(name, run);
    else test.skip(`${name} (${reason})`, run);
  }
}
