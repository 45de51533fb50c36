import type { IncomingMessage } from 'node:http';
import {
  checkAdapter,
  drain,
  sendGuarded,
  type AdapterOptions,
  type Authorization,
  type FoundRequest,
  type RequestOptions as TokenOptions,
  type TokenSource,
  type TokenSourceResolver,
  type Transport,
} from '@unexpired/core';
import { send, type Body, type Exchange, type RequestOptions } from './request.ts';

export interface AuthRequestOptions extends RequestOptions {
  readonly unexpired?: TokenOptions | undefined;
}

export type AuthRequest = (url: string, options?: AuthRequestOptions) => Promise<IncomingMessage>;

const named =
  (name: string) =>
  ([header]: [string, string]): boolean =>
    header.toLowerCase() === name;

/** A copy with the access token, and without what the caller set in its place. */
function authorized(
  options: AuthRequestOptions,
  authorization: Authorization,
  body: unknown,
): RequestOptions {
  const { unexpired, headers = {}, ...others } = options;
  const isOther = body !== options.body && unexpired?.body !== undefined;
  const kept = Object.entries(headers).filter(
    (entry) => !named('authorization')(entry) && !(isOther && named('content-length')(entry)),
  );
  return {
    ...others,
    headers: { ...Object.fromEntries(kept), ...authorization.headers },
    body: body as Body | undefined,
  };
}

function discard({ request, response }: Exchange, enough: AbortSignal): void {
  void drain(response, enough);
  // An upload that an early 401 overtook would go on.
  if (!request.writableFinished) request.destroy();
}

function findRequest(url: string, options: AuthRequestOptions): FoundRequest {
  const { method = 'GET', headers = {}, body, signal, unexpired } = options;
  const entries = Object.entries(headers);
  return {
    url,
    method,
    hasAuthorization: entries.some(named('authorization')),
    signal,
    body: {
      value: body,
      contentLength: Number(entries.find(named('content-length'))?.[1]),
    },
    options: unexpired,
    native: options,
  };
}

/** `send`, with an access token that works. */
export function requestAuth(
  tokens: TokenSource | TokenSourceResolver,
  adapterOptions: AdapterOptions = {},
): AuthRequest {
  checkAdapter(tokens, adapterOptions);
  const adapter = { tokens, options: adapterOptions };
  return async (url, options = {}) => {
    const transport: Transport<Exchange> = {
      send(authorization, body) {
        const { unexpired: _, ...asGiven } = options;
        return send(url, authorization === undefined ? asGiven : authorized(options, authorization, body));
      },
      facts: ({ response: native }) => ({
        url,
        status: native.statusCode!,
        header: (name) => native.headers[name]?.toString(),
        native,
      }),
      discard: async (exchange, enough) => discard(exchange, enough),
    };
    const { response } = await sendGuarded(adapter, findRequest(url, options), transport);
    return response;
  };
}
