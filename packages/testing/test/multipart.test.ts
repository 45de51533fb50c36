import { afterEach, expect, test } from '@jest/globals';
import {
  createResourceServer,
  multipartParts,
  type MultipartPart,
  type ResourceServer,
} from '@unexpired/testing';

let api: ResourceServer;

afterEach(() => api?.close());

async function partsOf(body: FormData): Promise<MultipartPart[]> {
  await fetch(api.origin, { method: 'POST', body });
  return multipartParts(await api.requestArrived(api.requests.length));
}

function form(bytes: readonly number[]): FormData {
  const data = new FormData();
  data.append('title', 'Grüße\r\n--');
  data.append('file', new Blob([new Uint8Array(bytes)], { type: 'image/png' }), 'ü.png');
  data.append('empty', '');
  return data;
}

test('the parts of a form arrive with their names, headers and bytes', async () => {
  api = await createResourceServer();

  const parts = await partsOf(form([0, 255, 13, 10, 45, 45, 128]));

  expect(parts.map(({ name, filename }) => [name, filename])).toEqual([
    ['title', undefined],
    ['file', 'ü.png'],
    ['empty', undefined],
  ]);
  expect(parts[0]?.body.toString()).toBe('Grüße\r\n--');
  expect([...(parts[1]?.body ?? [])]).toEqual([0, 255, 13, 10, 45, 45, 128]);
  expect(parts[1]?.headers['content-type']).toBe('image/png');
  expect(parts[2]?.body).toHaveLength(0);
});

test('two attempts with different boundaries have equal parts, and another byte shows', async () => {
  api = await createResourceServer();

  const [first, second, other] = [
    await partsOf(form([1])),
    await partsOf(form([1])),
    await partsOf(form([2])),
  ];

  const [one, two] = api.requests.map(({ headers }) => headers['content-type']);
  expect(one).not.toBe(two);
  expect(first).toEqual(second);
  expect(first).not.toEqual(other);
});

const request = (
  contentType: string,
  body: string,
): { headers: { 'content-type': string }; body: Buffer } => ({
  headers: { 'content-type': contentType },
  body: Buffer.from(body),
});
const part = 'Content-Disposition: form-data; name="a"\r\n\r\n1';

test('a quoted boundary and a preceding parameter are understood', () => {
  const header = 'multipart/form-data; charset=utf-8; boundary="b b"';

  expect(multipartParts(request(header, `--b b\r\n${part}\r\n--b b--`))[0]?.body.toString()).toBe('1');
});

test('a form without parts is empty', () => {
  expect(multipartParts(request('multipart/form-data; boundary=b', '--b--\r\n'))).toEqual([]);
});

test.each([
  ['no boundary', 'multipart/form-data', '', 'names no multipart boundary'],
  ['no form', 'application/json', '{}', 'names no multipart boundary: application/json'],
  [
    'another boundary',
    'multipart/form-data; boundary=b',
    `--c\r\n${part}\r\n--c--\r\n`,
    'does not begin with',
  ],
  [
    'text before the boundary',
    'multipart/form-data; boundary=b',
    `x\r\n--b\r\n${part}\r\n--b--`,
    'does not begin with',
  ],
  ['an empty body', 'multipart/form-data; boundary=b', '', 'does not begin with the boundary --b'],
  ['no end', 'multipart/form-data; boundary=b', `--b\r\n${part}`, 'does not end with the boundary --b--'],
  [
    'a part without an end of headers',
    'multipart/form-data; boundary=b',
    '--b\r\nA: b\r\n--b--',
    'no end of its headers',
  ],
])('%s is an error', (_, contentType, body, message) => {
  expect(() => multipartParts(request(contentType, body))).toThrow(message);
});
