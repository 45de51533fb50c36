/**
 * Whether a spent refresh token may be shown again. What the authorization server does then:
 * - `safe`: nothing, old refresh tokens stay valid
 * - `{ graceMs }`: it tolerates a just-spent token for so long
 * - `strict`: it ends the grant
 * - `unknown`: not known; one repeat at once lies within every documented grace period
 */
export type Reuse = 'safe' | 'unknown' | 'strict' | { readonly graceMs: number };

/** A repeat is early within this time. */
export const EARLY_MS = 1000;

/** A claim was found whose exchange left no result: may its refresh token be presented? */
export function mayRepeatClaim(reuse: Reuse, ageMs: number, tokenWorks: boolean): boolean {
  if (!tokenWorks || reuse === 'safe') return true;
  if (reuse === 'strict') return false;
  return ageMs <= (reuse === 'unknown' ? EARLY_MS : reuse.graceMs);
}

/** An attempt of this flight ended without an answer: may it be repeated? `sinceFirstMs` counts from the first attempt. */
export function mayRepeatAttempt(
  reuse: Reuse,
  { attempt, sinceFirstMs, tokenWorks }: { attempt: number; sinceFirstMs: number; tokenWorks: boolean },
): boolean {
  if (!tokenWorks || reuse === 'safe') return true;
  if (reuse === 'strict') return false;
  return reuse === 'unknown' ? attempt === 1 : sinceFirstMs <= reuse.graceMs;
}
