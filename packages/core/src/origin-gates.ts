import { elapsedMs, type Instant } from './clock.ts';

/**
 * An origin that refuses tokens which were just obtained for it would make every 401 an exchange. After a forced
 * exchange the new token is on trial there; if it is refused before a replay showed it to work, the gate closes.
 */
export interface OriginGate {
  /** The access token on trial. Any other token means that it changed by other means: the gate is void. */
  readonly token: string;
  /** The generation whose forced exchange put it on trial. */
  readonly generation: number;
  readonly failures: number;
  /** When the token was obtained, or the gate closed. */
  readonly since: Instant;
  readonly closed: boolean;
}

export type OriginGates = Map<string, OriginGate>;

const FIRST_MS = 5000;
const LONGEST_MS = 60_000;

export function closedMs(gate: OriginGate): number {
  return Math.min(FIRST_MS * 2 ** (gate.failures - 1), LONGEST_MS);
}

/** Whether no exchange may be forced because this origin refused `token`. */
export function isOriginClosed(gate: OriginGate | undefined, token: string, now: Instant): boolean {
  return (
    gate !== undefined && gate.token === token && gate.closed && elapsedMs(gate.since, now) < closedMs(gate)
  );
}

/** Whether a refusal of `token` closes the gate. A token that nobody refused for a while has shown that it works. */
export function isOnTrial(gate: OriginGate | undefined, token: string, now: Instant): gate is OriginGate {
  return (
    gate !== undefined && gate.token === token && !gate.closed && elapsedMs(gate.since, now) < LONGEST_MS
  );
}

/** The gate after `token` was refused on trial. */
export function closedGate(gate: OriginGate, now: Instant): OriginGate {
  return { ...gate, failures: gate.failures + 1, since: now, closed: true };
}

/** What a forced exchange brought in place of a refused token. */
export interface Obtained {
  readonly refused: string;
  readonly obtained: string;
  readonly generation: number;
}

/** The gate after an exchange forced for this origin because `refused` was refused there. */
export function trialGate(
  gate: OriginGate | undefined,
  { refused, obtained, generation }: Obtained,
  now: Instant,
): OriginGate {
  const failures = gate?.token === refused ? gate.failures : 0;
  return { token: obtained, generation, failures, since: now, closed: false };
}

/** A token that one origin forced is not news for the others: what they refused, they refuse on. */
export function carryOver(gates: OriginGates, { refused, obtained }: Obtained): void {
  for (const [origin, gate] of gates) {
    if (gate.token === refused) gates.set(origin, { ...gate, token: obtained });
  }
}
