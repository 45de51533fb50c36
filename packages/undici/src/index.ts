// In the namespace below, RequestOptions is undici's own.
import type { RequestOptions as Unexpired } from '@unexpired/core';

export type { UndiciInterceptor } from './undici-auth.ts';
export { undiciAuth } from './undici-auth.ts';

declare module 'undici' {
  namespace Dispatcher {
    interface DispatchOptions {
      /** How this one request is authorized. */
      unexpired?: Unexpired | undefined;
    }
  }
}
