import { readdirSync } from 'node:fs';
import type { Config } from 'jest';

const shared: Config = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // No transform at all: Jest 30.5 takes the types off with Node's own stripper.
  transform: {},
  // Workspace packages resolve to their sources, so no build is needed before a test run.
  moduleNameMapper: { '^@unexpired/([a-z-]+)$': '<rootDir>/packages/$1/src/index.ts' },
  // Copies of the workspace that a mutation run leaves there while it works.
  modulePathIgnorePatterns: ['<rootDir>/.stryker-tmp/'],
  setupFiles: ['<rootDir>/jest.realm.setup.ts'],
};

const packages = readdirSync(new URL('packages/', import.meta.url)).map((name) => ({
  ...shared,
  displayName: name,
  testMatch: [`<rootDir>/packages/${name}/test/**/*.test.ts`],
}));

const config: Config = {
  // A loaded machine is no failure; nothing here waits for the time to pass.
  testTimeout: process.env['SOAK'] === '1' ? 3_600_000 : 90_000,
  maxWorkers: '100%',
  testSequencer: '<rootDir>/jest.sequencer.mjs',
  coverageProvider: 'v8',
  collectCoverageFrom: ['packages/*/src/**/*.ts'],
  projects: [...packages, { ...shared, displayName: 'together', testMatch: ['<rootDir>/test/**/*.test.ts'] }],
};

export default config;
