import { createHash } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { createResourceServer, type ResourceServer } from '@unexpired/testing';

let api: ResourceServer;

afterEach(() => api.close());

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

test('an accepted request is answered with the length and hash of what arrived', async () => {
  api = await createResourceServer({ accepts: (token) => token === 'good' });

  const response = await fetch(`${api.origin}/items?page=2`, {
    method: 'POST',
    headers: bearer('good'),
    body: 'abc',
  });

  const sha256 = createHash('sha256').update('abc').digest('hex');
  expect(await response.json()).toEqual({ method: 'POST', url: '/items?page=2', length: 3, sha256 });
  expect(api.requests[0]).toMatchObject({
    bearerToken: 'good',
    complete: true,
    sha256,
    connection: 1,
    status: 200,
  });
});

test('a refused token is answered with a challenge', async () => {
  api = await createResourceServer({ accepts: (token) => token === 'good' });

  const response = await fetch(api.origin, { headers: bearer('bad') });

  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
});
