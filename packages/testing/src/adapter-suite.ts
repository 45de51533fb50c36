import { bodies } from './adapter-suite-bodies.ts';
import { crowds } from './adapter-suite-crowds.ts';
import type { AdapterSuiteOptions, BodyKind } from './adapter-suite-driver.ts';
import { failures } from './adapter-suite-failures.ts';
import { fallbacks } from './adapter-suite-fallback.ts';
import { freshness } from './adapter-suite-freshness.ts';
import { origins } from './adapter-suite-origins.ts';
import { runScenario, type Scenario } from './adapter-suite-world.ts';

const scenarios: readonly (Scenario & { readonly kind?: BodyKind })[] = [
  ...freshness,
  ...crowds,
  ...failures,
  ...origins,
  ...fallbacks,
  ...bodies,
];

/**
 * Registers the cases that every adapter has to pass, each with an authorization server, resource servers and a client
 * of its own, over real sockets of 127.0.0.1.
 *
 * @throws TypeError where `skips` names a case that there is not
 */
export function runAdapterSuite(options: AdapterSuiteOptions): void {
  const { test, skips = {} } = options;
  const names = new Set(scenarios.map(({ name }) => name));
  for (const name of Object.keys(skips)) {
    if (!names.has(name)) throw new TypeError(`\`skips\` names a case that there is not: '${name}'`);
  }
  for (const scenario of scenarios) {
    const { name, kind } = scenario;
    const support = kind && options.bodies[kind];
    const reason = skips[name] ?? (typeof support === 'string' ? support : undefined);
    const run = (): Promise<void> => runScenario(options, scenario);
    if (reason === undefined) test(name, run);
    else test.skip(`${name} (${reason})`, run);
  }
}
