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

/** Whether the server had no answer, so that the next poll may get one. */
function isPassing(error: unknown): boolean {
  const { name, status, cause } = error as Partial<oauth.ResponseBodyError>;
  // fetch says by a cause what went wrong on the way; a TypeError without one is a mistake in the program.
  if (name === 'TimeoutError' || (error instanceof TypeError && cause !== undefined)) return true;
  const answered = status ?? (cause as Partial<Response> | undefined)?.status ?? 0;
  return answered >= 500 || answered === 429;
}

/** By how many seconds polls get slower (RFC 8628, section 3.5); throws what ends the sign-in. */
function slowDownBy(error: unknown, intervalS: number): number {
  const code = error instanceof oauth.ResponseBodyError ? error.error : undefined;
  if (code === 'authorization_pending' || code === 'temporarily_unavailable') return 0;
  if (code === 'slow_down') return 5;
  if (isPassing(error)) return Math.min(intervalS, 5);
  throw code === undefined ? error : new Error(`The sign-in has failed: ${code}`, { cause: error });
}

/** What a person is asked to open and to type is written to a terminal, and comes from somebody else. */
function promptOf(device: oauth.DeviceAuthorizationResponse): Prompt {
  const pageOf = (text: string): string => {
    const { protocol, href } = new URL(text);
    if (protocol !== 'https:') throw new Error(`The page to sign in at is not https: ${href}`);
    return href;
  };
  // Not all of it: the device code is a secret.
  const { user_code: code, verification_uri: url, verification_uri_complete: urlWithCode } = device;
  return {
    url: pageOf(url),
    code: code.replaceAll(/[\p{Cc}\p{Cf}]/gu, ''),
    urlWithCode: urlWithCode && pageOf(urlWithCode),
  };
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
  prompt(promptOf(device));

  const expiresAt = Date.now() + device.expires_in * 1000;
  let intervalS = device.interval ?? DEFAULT_INTERVAL_S;
  while (Date.now() < expiresAt) {
    await wait(intervalS * 1000);
    try {
      return await oauth.processDeviceCodeResponse(
        server,
        client,
        await oauth.deviceCodeGrantRequest(
          server,
          client,
          CLIENT_AUTHENTICATION,
          device.device_code,
          inTime(),
        ),
      );
    } catch (error) {
      intervalS += slowDownBy(error, intervalS);
    }
  }
  throw new Error('The code expired before anybody used it; run the command again');
}
