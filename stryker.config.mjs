/** The modules of core that hold rules and no state. Each is held by its own test file alone. */
export const pure = [
  'challenge',
  'expiry',
  'failure',
  'fingerprint',
  'gate',
  'lifecycle',
  'options',
  'origin-gates',
  'origins',
  'record',
  'suspect',
  'token-response',
];

export default {
  mutate: pure.map((name) => `packages/core/src/${name}.ts`),
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning'],
  jest: {
    projectType: 'custom',
    enableFindRelatedTests: false,
    configFile: 'stryker.jest.config.mjs',
  },
  coverageAnalysis: 'perTest',
  // A mutant of a module-level constant would need the whole suite again for each.
  ignoreStatic: true,
  thresholds: { high: 95, low: 90, break: 85 },
  reporters: ['clear-text'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  tempDirName: '.stryker-tmp',
};
