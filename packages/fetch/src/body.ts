import type { ReplayBody, RequestBody } from '@unexpired/core';

/** Not ReadableStream.from, which some browsers lack. */
export function streamOf(recording: ReplayBody): ReadableStream<unknown> {
  const chunks = recording[Symbol.asyncIterator]();
  const source: UnderlyingDefaultSource<unknown> = {
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return?.();
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

/**
 * A Request does not tell what its body was made of, so that is sent as it is, framed as the caller made it, while a
 * clone is recorded. The clone is read as fast as it comes and given up once it is too long: unread, it would keep all
 * of the upload.
 */
export function bodyOfRequest(request: Request): Pick<RequestBody, 'value' | 'toClientBody'> {
  const value = { getReader: () => request.clone().body!.getReader() };
  let isSent = false;
  let isWhole = false;

  async function readOn(recording: ReplayBody): Promise<void> {
    for await (const _ of recording) if (!recording.isReplayable()) recording.dispose();
    isWhole = true;
  }

  async function blobOf(recording: ReplayBody): Promise<Blob> {
    const chunks: unknown[] = [];
    for await (const chunk of recording) chunks.push(chunk);
    return new Blob(chunks as BlobPart[]);
  }

  return {
    value,
    toClientBody(recording) {
      if (isSent) return isWhole ? blobOf(recording) : streamOf(recording);
      isSent = true;
      // A source that fails makes the request itself fail.
      readOn(recording).catch(() => undefined);
      return value;
    },
  };
}
