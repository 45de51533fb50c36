import { setTimeout as wait } from 'node:timers/promises';
import type { TokenResponse } from '@unexpired/core';
import * as oauth from 'oauth4webapi';

export interface DeviceSignIn {
  readonly issuer: string;
  readonly clientId: string;
  readonly scope: string;
  /** Tells the person where to go, and the code to type there. */
  readonly prompt: (device: oauth.DeviceAuthorizationResponse) => void;
}

const DEFAULT_INTERVAL_S = 5;

const withinTenSeconds = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(10_000) });

/** By how many seconds the next poll comes later (RFC 8628, section 3.5); throws what ends the sign-in. */
function laterBy(error: unknown, intervalS: number): number {
  if (error instanceof oauth.ResponseBodyError) {
    if (error.error === 'authorization_pending') return 0;
    if (error.error === 'slow_down') return 5;
  }
  const isUnreachable = error instanceof TypeError || (error as Error).name === 'TimeoutError';
  if (isUnreachable) return intervalS;
  throw error;
}

/** Signs in with the device authorization grant (RFC 8628). Rejects where the person declines or the code expires. */
export async function signInWithDevice(signIn: DeviceSignIn): Promise<TokenResponse> {
  const { issuer, clientId, scope, prompt } = signIn;
  const client = { client_id: clientId };
  const identifier = new URL(issuer);
  const metadata = await oauth.discoveryRequest(identifier, withinTenSeconds());
  const server = await oauth.processDiscoveryResponse(identifier, metadata);
  const parameters = { scope };
  const authorization = await oauth.deviceAuthorizationRequest(
    server,
    client,
    oauth.None(),
    parameters,
    withinTenSeconds(),
  );
  const device = await oauth.processDeviceAuthorizationResponse(server, client, authorization);
  prompt(device);

  const expiresAt = Date.now() + device.expires_in * 1000;
  let intervalS = device.interval ?? DEFAULT_INTERVAL_S;
  while (Date.now() < expiresAt) {
    await wait(intervalS * 1000);
    try {
      const { device_code: code } = device;
      const response = await oauth.deviceCodeGrantRequest(
        server,
        client,
        oauth.None(),
        code,
        withinTenSeconds(),
      );
      return await oauth.processDeviceCodeResponse(server, client, response);
    } catch (error) {
      intervalS += laterBy(error, intervalS);
    }
  }
  throw new Error('The code expired before anybody used it; run the command again');
}
