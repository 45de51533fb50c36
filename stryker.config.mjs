import jest from './jest.config.ts';

/** The modules of core that hold rules and no state. Each is held by its own test file alone. */
const pure = [
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
  'token-response',
];

const { displayName: _, ...core } = jest.projects.find(({ displayName }) => displayName === 'core');

export default {
  mutate: pure.map((name) => `packages/core/src/${name}.ts`),
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning'],
  jest: {
    projectType: 'custom',
    enableFindRelatedTests: false,
    config: { ...core, testMatch: pure.map((name) => `<rootDir>/packages/core/test/${name}.test.ts`) },
  },
  coverageAnalysis: 'perTest',
  // A mutant of a module-level constant would need the whole suite again for each.
  ignoreStatic: true,
  reporters: ['clear-text'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  tempDirName: '.stryker-tmp',
};
