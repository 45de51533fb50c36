import { test } from '@jest/globals';
import { runAdapterSuite } from '@unexpired/testing';
import axios from 'axios';
import PackageFormData from 'form-data';
import { createSuiteClient } from './suite-client.ts';

const emptyObject = 'axios makes an empty JSON object of it';

runAdapterSuite({
  test,
  createClient: createSuiteClient(axios, 'http'),
  cycles: process.env['SOAK'] === '1' ? 10_000 : 500,
  bodies: {
    string: true,
    'plain object': true,
    bytes: true,
    'array buffer': true,
    blob: true,
    'url search params': true,
    'form data': true,
    'form-data package'() {
      const form = new PackageFormData();
      form.append('title', 'Grüße');
      form.append('file', Buffer.from([1, 2, 3]), 'a.png');
      return form;
    },
    'node stream': true,
    'web stream': 'the http adapter takes Node streams only',
    'async generator': emptyObject,
    'restartable iterable': emptyObject,
  },
});
