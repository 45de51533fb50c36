import type { AdapterSuiteOptions } from '@unexpired/testing';

/** What ky takes for a body. */
export const BODIES: AdapterSuiteOptions['bodies'] = {
  string: true,
  'plain object': true,
  bytes: true,
  'array buffer': true,
  blob: true,
  'url search params': true,
  'form data': true,
  'form-data package': 'ky makes the text [object FormData] of it',
  'node stream': true,
  'web stream': true,
  'async generator': true,
  'restartable iterable': true,
};

export const CYCLES: number = process.env['SOAK'] === '1' ? 10_000 : 500;
