import { page } from './page.ts';
import { test } from '@jest/globals';
import { runAdapterSuite } from '@unexpired/testing';
import axios from 'axios';
import { createSuiteClient } from './suite-client.ts';

const emptyObject = 'axios makes an empty JSON object of it';
const noStreams = 'XMLHttpRequest takes no streams';
const noFallback = 'XMLHttpRequest follows redirects with every header, so this one is not sent';

runAdapterSuite({
  test,
  createClient: createSuiteClient(axios, 'xhr'),
  // Of 200 kB each, which jsdom takes its time for.
  cycles: process.env['SOAK'] === '1' ? 1000 : 100,
  bodies: {
    string: true,
    'plain object': true,
    bytes: true,
    'array buffer': true,
    blob: () => new page.Blob(['content'], { type: 'image/png' }),
    'url search params': true,
    'form data'() {
      const form = new page.FormData();
      form.append('title', 'Grüße');
      form.append('file', new page.Blob(['content'], { type: 'image/png' }), 'a.png');
      return form;
    },
    'form-data package': noStreams,
    'node stream': noStreams,
    'web stream': noStreams,
    'async generator': emptyObject,
    'restartable iterable': emptyObject,
  },
  skips: {
    'a fallback in a header of its own has that header alone': noFallback,
    'a redirect does not take the header of a fallback along': noFallback,
  },
});
