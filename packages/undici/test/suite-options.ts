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

export const fetchSkips: Readonly<Record<string, string>> = { ...skips };
