import type { RequestBody } from './body-plan.ts';
import { streamOf, type ReplayBody } from './replay-body.ts';

/**
 * The body of a fetch Request, which does not tell what it was made of. The first attempt sends the Request itself:
 * its body is then `value`. Meanwhile a clone is recorded, read as fast as it comes and given up once it is too long,
 * because a clone that nobody reads keeps all of the upload.
 */
export function bodyOfRequest(request: Request): Pick<RequestBody, 'value' | 'toClientBody'> {
  const { body, method } = request as Partial<Request>;
  if (body === undefined && method !== 'GET' && method !== 'HEAD') {
    // Firefox does not show it: it can neither be recorded nor sent twice.
    return { value: { pipe: () => undefined }, toClientBody: streamOf };
  }
  const value = body && { getReader: () => request.clone().body!.getReader() };
  let isSent = false;

  async function readOn(recording: ReplayBody): Promise<void> {
    const chunks = recording[Symbol.asyncIterator]();
    while (recording.isReplayable()) {
      if ((await chunks.next()).done === true) return;
    }
    await chunks.return?.();
    recording.dispose();
  }

  return {
    value,
    toClientBody(recording) {
      if (isSent) {
        const again = streamOf(recording);
        // A blob has a length, as the first attempt's body had.
        return recording.isWhole() ? new Response(again as BodyInit).blob() : again;
      }
      isSent = true;
      // Where the source fails, the request itself does.
      readOn(recording).catch(() => undefined);
      return value;
    },
  };
}
