import type { AdapterSuiteOptions } from '@unexpired/testing';

const notTaken = 'undici does not take it';

export const cycles: number = process.env['SOAK'] === '1' ? 10_000 : 500;

/** What `request` takes. */
export const bodies: Omit<AdapterSuiteOptions['bodies'], 'form data'> = {
  string: true,
  'plain object': notTaken,
  bytes: true,
  'array buffer': true,
  blob: true,
  'url search params': notTaken,
  'form-data package': notTaken,
  'node stream': true,
  'web stream': true,
  'async generator': true,
  'restartable iterable': true,
};

/** undici takes forms of its own class only. */
export function formOf<Form extends { append: (name: string, value: string | Blob, file?: string) => void }>(
  OwnForm: new () => Form,
): Form {
  const form = new OwnForm();
  form.append('title', 'Grüße');
  form.append('file', new Blob(['text'], { type: 'image/png' }), 'a.png');
  return form;
}

export const skips: Readonly<Record<string, string>> = {
  'the replay after a redirect within the origin begins anew':
    'undici shows each hop to its interceptors as a request of its own',
};

export function fetchBodies(form: true | (() => unknown) = true): AdapterSuiteOptions['bodies'] {
  return {
    ...bodies,
    'url search params': true,
    'form data': form,
  };
}

const keepsOn = 'the fetch of undici reads on after an abort, with or without the adapter';

const sources = ['node stream', 'web stream', 'async generator'];
const leftAt = (point: string): [name: string, reason: string][] =>
  sources.map((kind) => [
    `a caller that aborts its upload during ${point} leaves alone, and its source is released: ${kind}`,
    keepsOn,
  ]);

export const fetchSkips: Readonly<Record<string, string>> = {
  ...skips,
  ...Object.fromEntries([...leftAt('the first attempt'), ...leftAt('the replay')]),
  'an early 401 while 64 MiB of bytes are under way is answered with all of them again':
    'fetch shows streams only to its dispatcher, which are replayed while they are short',
  'a factory makes the body of the replay, once: form data':
    'fetch has made a text of the form, with a boundary, before its dispatcher sees it',
};
