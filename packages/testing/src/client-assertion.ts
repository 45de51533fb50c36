import { constants, createPublicKey, verify, type JsonWebKey, type VerifyKeyObjectInput } from 'node:crypto';

/** The members of a client assertion that the server looks at (RFC 7523 section 3). */
export interface AssertionClaims {
  readonly iss?: unknown;
  readonly sub?: unknown;
  readonly aud?: unknown;
  readonly exp?: unknown;
  readonly jti?: unknown;
}

function parse(part: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** The claims as the assertion states them; nothing is verified. */
export function readAssertion(assertion: string): AssertionClaims {
  return parse(assertion.split('.')[1]);
}

function keyFor(alg: unknown, jwk: JsonWebKey): VerifyKeyObjectInput | undefined {
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  if (alg === 'ES256') return { key, dsaEncoding: 'ieee-p1363' };
  if (alg === 'PS256') return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  return alg === 'RS256' || alg === 'EdDSA' || alg === 'Ed25519' ? { key } : undefined;
}

/** The algorithms of `isSignedBy`, for the metadata. */
export const assertionAlgorithms: readonly string[] = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];

/** Whether the holder of the key signed the assertion. */
export function isSignedBy(assertion: string, jwk: JsonWebKey): boolean {
  const [header, payload, signature = ''] = assertion.split('.');
  const { alg } = parse(header);
  const key = keyFor(alg, jwk);
  if (key === undefined) return false;
  const digest = alg === 'EdDSA' || alg === 'Ed25519' ? null : 'sha256';
  try {
    return verify(digest, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'));
  } catch {
    // The algorithm is one of another kind of key.
    return false;
  }
}
