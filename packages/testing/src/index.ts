export {
  createAuthorizationServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
  type FirstTokens,
  type SignInOptions,
} from './authorization-server.ts';
export type { ClientAuthenticationMethod, RegisteredClient } from './client-authentication.ts';
export type { Answer, Fault, HeaderFields, Point, TokenEndpointFault } from './fault.ts';
export type { Rotation } from './grants.ts';
export type { PresentationOutcome } from './rotation.ts';
export type { Exchange, IssuedTokens, Presentation } from './token-endpoint.ts';
export type { ReceivedRequest } from './received-request.ts';
export {
  createResourceServer,
  type ResourceFault,
  type ResourceServer,
  type ResourceServerOptions,
  type ResourceStep,
  type Responder,
} from './resource-server.ts';
export { createFakeClock, type FakeClock } from './fake-clock.ts';
export { faults } from './faults.ts';
export { multipartParts, type MultipartPart } from './multipart.ts';
export { runAdapterSuite } from './adapter-suite.ts';
export type {
  AdapterSuiteOptions,
  BodyKind,
  BodySupport,
  SuiteAnswer,
  SuiteClient,
  SuitePool,
  SuiteRequest,
  SuiteTest,
} from './adapter-suite-driver.ts';
export { runStoreSuite, type StorePlace, type StoreSuiteOptions } from './store-suite.ts';
export { startRace, type Race, type RaceOptions, type RaceReport, type RaceServer } from './race.ts';
export type { RaceExit, RaceProcess } from './race-process.ts';
export type { Asking, RaceFailure, RacePoint, RaceSource, RaceStore, SeenToken } from './race-protocol.ts';
export { runProcessSuite, type ProcessSuiteOptions, type ProcessSuiteTest } from './process-suite.ts';
export type { LockKind, RacePlace } from './process-suite-case.ts';
