import { test } from '@jest/globals';
import { runAdapterSuite } from '@unexpired/testing';
import axios from 'axios';
import { createSuiteClient } from './suite-client.ts';

const emptyObject = 'axios makes an empty JSON object of it';

runAdapterSuite({
  test,
  createClient: createSuiteClient(axios, 'fetch'),
  cycles: process.env['SOAK'] === '1' ? 10_000 : 500,
  bodies: {
    string: true,
    'plain object': true,
    bytes: true,
    'array buffer': true,
    blob: true,
    'url search params': true,
    'form data': true,
    'form-data package': 'fetch makes the text [object FormData] of it',
    'node stream': true,
    'web stream': true,
    'async generator': emptyObject,
    'restartable iterable': emptyObject,
  },
  skips: {
    'the 401 of a redirect target on another origin costs no exchange':
      'the fetch adapter does not tell where a response came from',
  },
});
