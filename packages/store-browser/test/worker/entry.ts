// What an application does with page.ts, for the test.
import { authFetch, signIn } from './page.ts';

declare global {
  var viaWorker: { authFetch: typeof authFetch; signIn: typeof signIn };
}

globalThis.viaWorker = { authFetch, signIn };
