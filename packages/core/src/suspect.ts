/**
 * Whether a spent refresh token may be shown again. What the authorization server does then:
 * - `safe`: nothing, old refresh tokens stay valid
 * - `{ graceMs }`: it tolerates a just-spent token for so long
 * - `strict`: it ends the grant
 * - `unknown`: not known; one repeat at once lies within every documented grace period
 */
export type Reuse = 'safe' | 'unknown' | 'strict' | { readonly graceMs: number };

/** A claim is found early within this time. */
export const EARLY_MS = 1000;

/**
 * May a refresh token be presented that may have been spent: by an attempt of this flight that got no answer, or by one
 * whose claim was found? `sinceMs` counts from then; `isEarly` says that nothing but this can have happened since.
 */
export function mayRepeat(
  reuse: Reuse,
  { sinceMs, isEarly, tokenWorks }: { sinceMs: number; isEarly: boolean; tokenWorks: boolean },
): boolean {
  if (!tokenWorks || reuse === 'safe') return true;
  return typeof reuse === 'object' ? sinceMs <= reuse.graceMs : reuse === 'unknown' && isEarly;
}
