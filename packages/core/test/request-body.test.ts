import { expect, test } from '@jest/globals';
import { bodyOfRequest } from '../src/request-body.ts';
import { planBody, type BodyPlan } from '../src/body-plan.ts';
import { createReplayBody } from '../src/replay-body.ts';

function planOf(request: Partial<Request>, replayBytes = 100): BodyPlan {
  return planBody(bodyOfRequest(request as Request), replayBytes);
}

function post(body: string): Request {
  return new Request('https://api.example.com', { method: 'POST', body });
}

/** A Request whose clone never ends, and tells when it is given up. */
function endless(): { request: Partial<Request>; givenUp: Promise<void> } {
  const { promise: givenUp, resolve } = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(new Uint8Array(30)),
    cancel: () => resolve(),
  });
  const clone = (): Request => ({ body }) as Request;
  return { request: { method: 'POST', body, clone }, givenUp };
}

test('the first attempt sends the Request itself', async () => {
  const request = post('text');
  const body = bodyOfRequest(request);

  expect(planBody(body, 100).first).toBe(body.value);
  expect(await request.text()).toBe('text');
});

test('the replay is a blob, which has a length, once the clone was read to its end', async () => {
  const request = post('text');
  const plan = planOf(request);
  await request.text();
  // The clone is read beside the first attempt, which takes longer than this.
  await new Promise((resolve) => setImmediate(resolve));

  const again = (await plan.again()) as Blob;

  expect(again).toBeInstanceOf(Blob);
  expect(await again.text()).toBe('text');
});

test('a clone that grows too long is given up, and is not replayed', async () => {
  const { request, givenUp } = endless();
  const plan = planOf(request);

  await givenUp;

  expect(plan.isReplayable()).toBe(false);
});

test('a Request that nothing is kept of is not cloned', () => {
  const request = post('text');
  request.clone = () => {
    throw new Error('cloned');
  };

  expect(planOf(request, 0).isReplayable()).toBe(false);
});

test.each(['GET', 'HEAD'])('a %s request has no body, also where no Request shows one', (method) => {
  expect(bodyOfRequest({ method } as Request).value).toBeUndefined();
});

test('a body that the Request does not show cannot be sent twice', () => {
  expect(planOf({ method: 'POST' }).isReplayable()).toBe(false);
});

test('a body whose reader was stopped in its midst is not taken for whole', async () => {
  const rest = Promise.withResolvers<void>();
  const request = new Request('http://127.0.0.1', {
    method: 'POST',
    body: new ReadableStream({
      async pull(controller) {
        controller.enqueue(new TextEncoder().encode('the beginning, '));
        await rest.promise;
        controller.enqueue(new TextEncoder().encode('and the end'));
        controller.close();
      },
    }),
    duplex: 'half',
  } as RequestInit);
  const { value, toClientBody } = bodyOfRequest(request);
  const recording = createReplayBody(value, 1024);
  toClientBody!(recording);

  recording.rewind();
  await new Promise(setImmediate);
  const again = toClientBody!(recording);

  expect(again).toBeInstanceOf(ReadableStream);
  rest.resolve();
  expect(await new Response(again as ReadableStream).text()).toBe('the beginning, and the end');
});
