import { setTimeout as wait } from 'node:timers/promises';
import type { TokenResponse } from '@unexpired/core';
import * as oauth from 'oauth4webapi';

/** What a person is shown. */
export interface Prompt {
  readonly url: string;
  readonly code: string;
  /** Has the code in it, for a QR code or a browser on this machine. */
  readonly urlWithCode: string | undefined;
}

export interface DeviceSignIn {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  /** Tells the person where to go, and the code to type there. */
  readonly prompt: (prompt: Prompt) => void;
}

const DEFAULT_INTERVAL_S = 5;
const CLIENT_AUTHENTICATION = oauth.None();

const inTime = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(10_000) });

async function discover(issuer: string): Promise<oauth.AuthorizationServer> {
  const identifier = new URL(issuer);
  const response = await oauth.discoveryRequest(identifier, inTime());
  return oauth.processDiscoveryResponse(identifier, response);
}

/** By how many seconds polls get slower (RFC 8628, section 3.5); throws what ends the sign-in. */
function slowDownBy(error: unknown, intervalS: number): number {
  if (error instanceof oauth.ResponseBodyError) {
    if (error.error === 'authorization_pending') return 0;
    if (error.error === 'slow_down') return 5;
    throw new Error(`The sign-in has failed: ${error.error}`, { cause: error });
  }
  const isUnreachable = error instanceof TypeError || (error as Error).name === 'TimeoutError';
  if (isUnreachable) return intervalS;
  throw error;
}

/** Signs in with the device authorization grant (RFC 8628). Rejects if the person declines or the code expires. */
export async function signInWithDevice({
  issuer,
  clientId,
  scope,
  prompt,
}: DeviceSignIn): Promise<TokenResponse> {
  const client = { client_id: clientId };
  const server = await discover(issuer);
  const device = await oauth.processDeviceAuthorizationResponse(
    server,
    client,
    await oauth.deviceAuthorizationRequest(server, client, CLIENT_AUTHENTICATION, { scope }, inTime()),
  );
  // Not all of it: the device code is a secret.
  const { device_code: deviceCode, verification_uri: url, verification_uri_complete: urlWithCode } = device;
  prompt({ url, urlWithCode, code: device.user_code });

  const expiresAt = Date.now() + device.expires_in * 1000;
  let intervalS = device.interval ?? DEFAULT_INTERVAL_S;
  while (Date.now() < expiresAt) {
    await wait(intervalS * 1000);
    try {
      return await oauth.processDeviceCodeResponse(
        server,
        client,
        await oauth.deviceCodeGrantRequest(server, client, CLIENT_AUTHENTICATION, deviceCode, inTime()),
      );
    } catch (error) {
      intervalS += slowDownBy(error, intervalS);
    }
  }
  throw new Error('The code expired before anybody used it; run the command again');
}
