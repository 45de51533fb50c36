import { bodies } from './adapter-suite-bodies.ts';
import { crowds } from './adapter-suite-crowds.ts';
import type { Checks } from '@unexpired/core';
import type { AdapterSuiteOptions } from './adapter-suite-driver.ts';
import { factories } from './adapter-suite-factories.ts';
import { failures } from './adapter-suite-failures.ts';
import { fallbacks } from './adapter-suite-fallback.ts';
import { freshness } from './adapter-suite-freshness.ts';
import { longBodies } from './adapter-suite-long-bodies.ts';
import { origins } from './adapter-suite-origins.ts';
import { sockets } from './adapter-suite-sockets.ts';
import { uploads } from './adapter-suite-uploads.ts';
import { users } from './adapter-suite-users.ts';
import { checkGiven, FUNCTION, NUMBER, OBJECT, TEST } from './checks.ts';
import { runScenario, type Scenario } from './adapter-suite-world.ts';

const scenarios: readonly Scenario[] = [
  ...freshness,
  ...crowds,
  ...failures,
  ...origins,
  ...fallbacks,
  ...users,
  ...bodies,
  ...factories,
  ...longBodies,
  ...uploads,
  ...sockets,
];

const CHECKS: Checks = {
  test: TEST,
  createClient: FUNCTION,
  bodies: OBJECT,
  skips: OBJECT,
  cycles: NUMBER,
};

/** Why the client cannot have the case; undefined where it can. */
function whyNot(
  { name, options }: Scenario,
  { bodies: taken, skips = {} }: AdapterSuiteOptions,
): string | undefined {
  const needs = (options.needs ?? []).map((kind) => taken[kind]);
  const isTaken = needs.length === 0 || needs.some((support) => typeof support !== 'string');
  return skips[name] ?? (isTaken ? undefined : String(needs[0]));
}

/**
 * Registers the cases that every adapter has to pass, each with an authorization server, resource servers and a client
 * of its own, over real sockets of 127.0.0.1.
 *
 * @throws TypeError that names what is wrong with an option, also where `skips` names a case that there is not
 */
export function runAdapterSuite(options: AdapterSuiteOptions): void {
  checkGiven(options, CHECKS, 'test', 'createClient', 'bodies');
  const { test, skips = {} } = options;
  const names = new Set(scenarios.map(({ name }) => name));
  for (const name of Object.keys(skips)) {
    if (!names.has(name)) throw new TypeError(`\`skips\` names a case that there is not: '${name}'`);
  }
  for (const scenario of scenarios) {
    const { name } = scenario;
    const reason = whyNot(scenario, options);
    const run = (): Promise<void> => runScenario(options, scenario);
    if (reason === undefined) test(name, run);
    else test.skip(`${name} (${reason})`, run);
  }
}
