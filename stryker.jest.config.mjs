import jest from './jest.config.ts';
import { pure } from './stryker.config.mjs';

// A file of its own: Stryker would merge a config of one project into jest.config.ts, and run all projects.
const { displayName: _, ...core } = jest.projects.find(({ displayName }) => displayName === 'core');

export default { ...core, testMatch: pure.map((name) => `<rootDir>/packages/core/test/${name}.test.ts`) };
