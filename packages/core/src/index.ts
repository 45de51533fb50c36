export type { Transport } from './adapter.ts';
export { sendGuarded } from './adapter.ts';
export type {
  AdapterOptions,
  RequestOptions,
  ResolverRequest,
  TokenSourceResolver,
} from './adapter-options.ts';
export { checkAdapter } from './adapter-options.ts';
export type { Authorization } from './authorization.ts';
export { confine } from './authorization.ts';
export type { RequestBody } from './body-plan.ts';
export { drain, isOneShot } from './body-plan.ts';
export type { Clock } from './clock.ts';
export { conceal } from './conceal.ts';
export type { AccessTokenErrorCode, AccessTokenErrorOptions } from './errors.ts';
export { AccessTokenError } from './errors.ts';
export type {
  EventDetails,
  EventType,
  NotAuthorizedReason,
  NotReplayedReason,
  TokenEvent,
  TokenEventListener,
} from './events.ts';
export type { Limits } from './exchange.ts';
export type { Timing } from './expiry.ts';
export type { Explanation } from './explain.ts';
export { describe401, explain401 } from './explain.ts';
export type { FailureKind } from './failure.ts';
export type { FetchCall } from './fetch-call.ts';
export { sendFetch } from './fetch-call.ts';
export type { Health } from './gate.ts';
export type { Adapter, FoundRequest, GuardedRequest } from './guarded-request.ts';
export { guardRequest } from './guarded-request.ts';
export type { KeyedMutex } from './keyed-mutex.ts';
export { createKeyedMutex } from './keyed-mutex.ts';
export type { RecordStorage } from './memory-store.ts';
export { createMemoryStore, createStoreFrom } from './memory-store.ts';
export type { Check, Checks } from './options.ts';
export { checkOptions, invalidOption } from './options.ts';
export type { ReplayOptions, ResponseFacts } from './reauthorize.ts';
export type { Binding, Claim, CredentialRecord } from './record.ts';
export type { RefreshFunction, RefreshRequest } from './refresh.ts';
export type { ReplayBody } from './replay-body.ts';
export { streamOf } from './replay-body.ts';
export { bodyOfRequest } from './request-body.ts';
export type { Fallback, Profile, TokenSourceOptions } from './source-options.ts';
export type { TokenSourceStatus } from './status.ts';
export type { Reuse } from './suspect.ts';
export type { TokenResponse, TokenSet } from './token-response.ts';
export type { AuthorizeRequest, GetAccessTokenOptions, TokenSource } from './token-source.ts';
export { createTokenSource } from './token-source.ts';
export type { ExclusiveSection, TokenStore } from './token-store.ts';
export type { Wrapping } from './wrapping.ts';
export { isWrapped, markWrapper, wrappingOf } from './wrapping.ts';
