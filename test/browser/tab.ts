// Runs in a page; tests reach it as `globalThis.tab`.
import { axiosAuth } from '@unexpired/axios';
import {
  AccessTokenError,
  createTokenSource,
  type EventType,
  type TokenResponse,
  type TokenSource,
  type TokenSourceStatus,
} from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { kyAuth } from '@unexpired/ky';
import { refreshTokenGrant } from '@unexpired/oauth';
import { createBrowserStore } from '@unexpired/store-browser';
import axios from 'axios';
import ky from 'ky';

declare global {
  var tab: Tab;
}

export interface TabOptions {
  readonly name: string;
  readonly tokenEndpoint: string;
  readonly api: string;
  readonly lockMs?: number;
}

/** What the callers of a tab saw. */
export interface TabReport {
  readonly statuses: readonly number[];
  readonly failures: readonly string[];
  readonly events: readonly EventType[];
}

export type Answer = { readonly accessToken: string } | { readonly code: string; readonly message: string };

/** A tab of an application that is signed in, or not yet. */
export interface Tab {
  open(options: TabOptions): void;
  signIn(tokens: TokenResponse): Promise<void>;
  signOut(): Promise<void>;
  /** From now on each client sends one request after another. */
  work(): void;
  /** Ends that. */
  rest(): Promise<TabReport>;
  getAccessToken(): Promise<Answer>;
  status(): TokenSourceStatus;
  /** Puts the clock of this tab forward. */
  pass(ms: number): void;
  /** Refreshes never end from now on, and are not sent. */
  hang(): void;
}

const PAUSE_MS = 40;

let source: TokenSource;
let api: string;
let hangs = false;
let offsetMs = 0;
let working: Promise<unknown> | undefined;
let isWorking = false;
const statuses: number[] = [];
const failures: string[] = [];
const events: EventType[] = [];

function createSource({ name, tokenEndpoint, api: origin, lockMs }: TabOptions): TokenSource {
  const grant = refreshTokenGrant({ tokenEndpoint, clientId: 'page' });
  return createTokenSource({
    origins: [origin],
    refresh: (request) => (hangs ? new Promise<never>(() => undefined) : grant(request)),
    store: createBrowserStore({ name }),
    timing: { ttlThresholdMs: 1000 },
    limits: { lockMs },
    clock: {
      now: () => Date.now() + offsetMs,
      monotonic: () => performance.now() + offsetMs,
      setTimer(callback, ms) {
        const timer = setTimeout(callback, ms);
        return () => clearTimeout(timer);
      },
    },
    onEvent: ({ type }) => events.push(type),
  });
}

function clientsOf(tokens: TokenSource): (() => Promise<number>)[] {
  const viaAxios = axios.create({ adapter: 'xhr', validateStatus: () => true });
  viaAxios.interceptors.request.use(axiosAuth(tokens));
  const viaKy = ky.create({ throwHttpErrors: false, retry: 0 }).extend(kyAuth(tokens));
  const viaFetch = fetchAuth(tokens);
  return [
    async () => (await viaAxios.get(`${api}/axios`)).status,
    async () => (await viaKy(`${api}/ky`)).status,
    async () => (await viaFetch(`${api}/fetch`)).status,
  ];
}

async function keepSending(send: () => Promise<number>): Promise<void> {
  while (isWorking) {
    try {
      statuses.push(await send());
    } catch (error) {
      failures.push(String(error));
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

globalThis.tab = {
  open(options) {
    api = options.api;
    source = createSource(options);
  },
  signIn: (tokens) => source.signIn(tokens),
  signOut: () => source.signOut(),
  work() {
    isWorking = true;
    working = Promise.all(clientsOf(source).map(keepSending));
  },
  async rest() {
    isWorking = false;
    await working;
    return { statuses, failures, events };
  },
  async getAccessToken() {
    try {
      return { accessToken: await source.getAccessToken() };
    } catch (error) {
      if (error instanceof AccessTokenError) return { code: error.code, message: error.message };
      throw error;
    }
  },
  status: () => source.status(),
  pass(ms) {
    offsetMs += ms;
  },
  hang() {
    hangs = true;
  },
};
