import { Agent, type AgentOptions } from 'node:http';
import { axiosAuth } from '@unexpired/axios';
import type { AdapterOptions } from '@unexpired/core';
import axios, { type AxiosError, type AxiosInstance, type CreateAxiosDefaults } from 'axios';
import { afterwards, openWorld, rejectionOf, type World, type WorldOptions } from '../../../test/world.ts';

export function keepAliveAgent(options: AgentOptions = {}): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...options });
  afterwards(() => agent.destroy());
  return agent;
}

export interface SceneOptions extends WorldOptions {
  readonly adapter?: AdapterOptions;
  readonly client?: CreateAxiosDefaults;
}

export interface Scene extends World {
  /** With the API as its base, and the interceptor attached. */
  readonly client: AxiosInstance;
  /** The same without the interceptor. */
  readonly bare: AxiosInstance;
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const world = await openWorld(options);
  const defaults = { baseURL: world.api.origin, ...options.client };
  const client = axios.create(defaults);
  client.interceptors.request.use(axiosAuth(world.tokens, options.adapter));
  return { ...world, client, bare: axios.create(defaults) };
}

/** Of a Node stream or a web stream. */
export async function textOf(stream: unknown): Promise<string> {
  let text = '';
  for await (const chunk of stream as AsyncIterable<Uint8Array>) text += Buffer.from(chunk).toString();
  return text;
}

/** What a request was rejected with; fails where it was not. */
export const errorOf: (request: Promise<unknown>) => Promise<AxiosError> = rejectionOf;
