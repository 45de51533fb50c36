import { checkOptions, invalidOption, type Checks } from '@unexpired/core';
import { allowInsecureRequests, customFetch, type AuthorizationServer, type ClientAuth } from 'oauth4webapi';
import { isObject, TEXT } from './checks.ts';
import { authenticationOf, checkAuthentication, type ClientCredentials } from './client-authentication.ts';
import { sendWith, type Fetch, type Send } from './send.ts';
import { checkPlace, finderOf, type EndpointKind, type Place } from './server.ts';

/** What every request to an authorization server takes. */
export interface ClientOptions extends ClientCredentials {
  /**
   * The authorization server, by the name that its metadata bear; they are fetched once, at the first use (OpenID
   * Connect Discovery, else RFC 8414). Either this or the endpoint itself.
   */
  readonly issuer?: string | URL | undefined;
  /** Further form parameters, such as `audience`; none that the request sets itself. */
  readonly parameters?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * Sends the requests. It must not be a client that the token source guards, and must obey `redirect: 'manual'`.
   * @default the global `fetch` at the time of this call
   */
  readonly fetch?: Fetch | undefined;
  /**
   * Whether plain http is allowed outside of loopback. An https issuer never leads to an http endpoint.
   * @default false
   */
  readonly allowHttp?: boolean | undefined;
}

const CHECKS: Checks = {
  clientId: TEXT,
  clientSecret: TEXT,
  clientAuthentication: ['a method', () => true],
  issuer: ['a URL', () => true],
  parameters: ['an object', isObject],
  fetch: ['a function', (value) => typeof value === 'function'],
  allowHttp: ['true or false', (value) => typeof value === 'boolean'],
};

const OWN_PARAMETERS = [
  'grant_type',
  'refresh_token',
  'scope',
  'resource',
  'token',
  'token_type_hint',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
];

function parametersOf(parameters: Readonly<Record<string, unknown>>): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    if (OWN_PARAMETERS.includes(name)) {
      throw new TypeError(`\`parameters.${name}\` is not yours to set: the request and its other options do`);
    }
    if (typeof value !== 'string') throw invalidOption(`parameters.${name}`, 'a string', value);
    form.set(name, value);
  }
  return form;
}

interface RequestOptions {
  signal: AbortSignal;
  [customFetch]: Send;
  [allowInsecureRequests]: true;
}

/** One client of one authorization server. */
export interface Client {
  readonly place: Place;
  readonly server: () => Promise<AuthorizationServer>;
  readonly identity: { readonly client_id: string };
  readonly authenticate: ClientAuth;
  readonly parameters: URLSearchParams;
  readonly request: (signal: AbortSignal) => RequestOptions;
  /** What proved who the client is, in each form that was sent. */
  readonly secrets: () => readonly string[];
}

/** Notes what is sent of a client's secret: it is encoded twice for Basic (RFC 6749, section 2.3.1). */
function noting(send: Send, secrets: Set<string>): Send {
  return (url, request) => {
    const [, basic] = request.headers['authorization']?.split(' ') ?? [];
    if (basic !== undefined) secrets.add(basic).add(atob(basic).replace(/^.*?:/, ''));
    return send(url, request);
  };
}

/** Checks the options, with a TypeError for each fault, and captures what they hold now. */
export function createClient(options: ClientOptions, kind: EndpointKind, checks: Checks = {}): Client {
  checkOptions(options, { ...CHECKS, [kind.option]: CHECKS['issuer']!, ...checks });
  const { clientId, parameters = {}, allowHttp = false, fetch = globalThis.fetch } = options;
  if (clientId === undefined) throw invalidOption('clientId', TEXT[0], clientId);
  checkAuthentication(options);
  const place = checkPlace(options, kind);
  const secrets = new Set([options.clientSecret ?? '']);
  const send = noting(sendWith(fetch), secrets);
  return {
    place,
    server: finderOf(place, kind, { send, allowHttp }),
    identity: { client_id: clientId },
    authenticate: authenticationOf(options),
    parameters: parametersOf(parameters),
    // Which addresses may be plain http has been decided by then.
    request: (signal) => ({ signal, [customFetch]: send, [allowInsecureRequests]: true }),
    secrets: () => [...secrets],
  };
}
