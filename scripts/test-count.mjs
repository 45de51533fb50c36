// The closing line of CI: the numbers of the main test run. A test skipped for want of a server fails CI.
import { existsSync, readFileSync } from 'node:fs';

const file = 'reports/jest.json';
const none = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] };
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : none;

const tests = results.testResults.flatMap(({ assertionResults }) => assertionResults);
const wanting = tests.filter(
  ({ status, fullName }) => status !== 'passed' && /is not installed/.test(fullName),
);
for (const { fullName } of wanting) console.error(`not run: ${fullName}`);
if (results === none) console.error(`${file} is missing: the tests did not run`);
if (results === none || wanting.length > 0) process.exitCode = 1;

// A file that could not be loaded has no test to count.
const failed = results.numFailedTests + (results.numRuntimeErrorTestSuites ?? 0);
const skipped = results.numPendingTests + results.numTodoTests;
console.log(`${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
