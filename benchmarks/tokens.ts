/** Good for ever, for the bare client. */
export const STATIC_TOKEN = 'static';

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

let issued = 0;

/** An access token that nobody signed; a JWT, since some peers read when it expires. */
export function accessTokenFor(seconds: number): string {
  issued += 1;
  const expiresAt = Math.floor(Date.now() / 1000 + seconds);
  return [encode({ alg: 'none' }), encode({ sub: 'somebody', exp: expiresAt, jti: issued }), 'x'].join('.');
}
