import { afterEach, test } from '@jest/globals';
import { runAdapterSuite } from '@unexpired/testing';
import { undiciAuth } from '@unexpired/undici';
import { Agent, FormData, interceptors, request } from 'undici-7';
import { requestClient } from './suite-client.ts';
import { bodies, cycles, formOf, skips } from './suite-options.ts';

const agents: Agent[] = [];

afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.destroy();
});

runAdapterSuite({
  test,
  createClient(tokens, options, pool) {
    // A thousand requests at once would wait for a thousand connections.
    const agent = new Agent({ connections: 100, ...pool });
    agents.push(agent);
    const redirect = interceptors.redirect({ maxRedirections: 5 });
    return requestClient({ request }, agent.compose(undiciAuth(tokens, options) as never, redirect));
  },
  cycles,
  bodies: { ...bodies, 'form data': () => formOf(FormData) },
  skips,
});
