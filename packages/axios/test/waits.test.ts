import { describe, expect, jest, test } from '@jest/globals';
import axios, { type AxiosRequestConfig } from 'axios';
import { afterwards, statuses } from '../../../test/world.ts';
import { errorOf, openScene, type Scene } from './scene.ts';

interface Canceler {
  readonly config: AxiosRequestConfig;
  readonly cancel: () => void;
}

/** As little of a signal as axios asks for. */
class ForeignSignal extends EventTarget {
  aborted = false;
}

const cancelers: [string, () => Canceler][] = [
  [
    'signal',
    () => {
      const controller = new AbortController();
      return {
        config: { signal: controller.signal },
        cancel: () => controller.abort(new Error('of the caller')),
      };
    },
  ],
  [
    'cancelToken',
    () => {
      const { token, cancel } = axios.CancelToken.source();
      return { config: { cancelToken: token }, cancel: () => cancel() };
    },
  ],
  [
    'signal of another maker',
    () => {
      const signal = new ForeignSignal();
      const cancel = (): void => {
        signal.aborted = true;
        signal.dispatchEvent(new Event('abort'));
      };
      return { config: { signal }, cancel };
    },
  ],
];

describe.each(cancelers)('a caller with a %s', (_, createCanceler) => {
  test('leaves the wait for a first access token at once, and the others get it', async () => {
    const scene = await expiredScene();
    const { config, cancel } = createCanceler();
    scene.authorization.next({ hold: 'answer' });
    const leaving = errorOf(scene.client.get('/leaving', config));
    const staying = scene.client.get('/staying');
    await scene.authorization.requestArrived();

    cancel();

    const error = await leaving;
    expect(axios.isCancel(error)).toBe(true);
    expect(error).toMatchObject({ name: 'CanceledError', code: 'ERR_CANCELED' });
    expect(scene.authorization.release()).toBe(1);
    expect((await staying).status).toBe(200);
    expect(scene.api.requests.map(({ url }) => url)).toEqual(['/staying']);
    expect(scene.authorization.exchanges).toHaveLength(1);
  });

  test('leaves the wait that follows a 401 at once, and the others get their replay', async () => {
    const { authorization, client, api } = await openScene();
    const { config, cancel } = createCanceler();
    authorization.revokeAccessTokens();
    authorization.next({ hold: 'answer' });
    const staying = client.get('/staying');
    await authorization.requestArrived();
    const leaving = errorOf(client.get('/leaving', config));
    await api.requestArrived(1);

    cancel();

    expect(axios.isCancel(await leaving)).toBe(true);
    expect(authorization.release()).toBe(1);
    expect((await staying).status).toBe(200);
    expect(authorization.exchanges).toHaveLength(1);
  });

  test('may have canceled before', async () => {
    const { client, api } = await openScene();
    const { config, cancel } = createCanceler();
    const first = client.get('/first', config);
    await first;
    cancel();

    expect(axios.isCancel(await errorOf(client.get('/second', config)))).toBe(true);

    expect(api.requests.map(({ url }) => url)).toEqual(['/first']);
  });
});

/** The first access token has expired. */
async function expiredScene(): Promise<Scene> {
  const scene = await openScene({ source: { tokens: undefined } });
  await scene.tokens.signIn({ ...scene.first, expires_in: 0 });
  return scene;
}

test('when every caller has left, the refresh goes on and nothing is rejected unheard', async () => {
  const unheard: unknown[] = [];
  const listen = (reason: unknown): void => void unheard.push(reason);
  process.on('unhandledRejection', listen);
  afterwards(() => process.off('unhandledRejection', listen));
  const { authorization, client, tokens } = await expiredScene();
  authorization.next({ hold: 'answer', respond: { status: 400, body: { error: 'invalid_grant' } } });
  const controller = new AbortController();
  const requests = Array.from({ length: 5 }, () => errorOf(client.get('/', { signal: controller.signal })));
  await authorization.requestArrived();

  controller.abort();
  expect((await Promise.all(requests)).every((error) => axios.isCancel(error))).toBe(true);
  const ended = new Promise<void>((resolve) => {
    tokens.subscribe(({ type }) => void (type === 'reauthentication-required' && resolve()));
  });
  authorization.release();

  await ended;
  await new Promise(setImmediate);
  expect(unheard).toEqual([]);
});

test('listeners of the signal and the cancel token are gone when the request has ended', async () => {
  const { client } = await openScene();
  const { token } = axios.CancelToken.source();
  const signal = new ForeignSignal();
  const add = jest.spyOn(signal, 'addEventListener');
  const remove = jest.spyOn(signal, 'removeEventListener');

  await client.get('/', { signal, cancelToken: token });

  expect(remove.mock.calls.map(([, listener]) => listener)).toEqual(
    expect.arrayContaining(add.mock.calls.map(([, listener]) => listener)),
  );
  expect(add).toHaveBeenCalled();
  expect((token as unknown as { _listeners?: unknown[] })._listeners ?? []).toEqual([]);
});

test('a refusal of the refresh reaches callers that wait before sending as the error of the library', async () => {
  const { authorization, client, api } = await expiredScene();
  authorization.next({ respond: { status: 400, body: { error: 'invalid_grant' } } });

  const error = await errorOf(client.get('/'));

  expect(error).toMatchObject({ name: 'AccessTokenError', code: 'ERR_REAUTHENTICATION_REQUIRED' });
  expect(statuses(api)).toEqual([]);
});
