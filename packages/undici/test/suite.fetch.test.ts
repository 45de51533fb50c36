import { afterEach, test } from '@jest/globals';
import { runAdapterSuite } from '@unexpired/testing';
import { undiciAuth } from '@unexpired/undici';
import { Agent, fetch, FormData } from 'undici';
import { carry, fetchClient } from './suite-client.ts';
import { cycles, fetchBodies, fetchSkips, formOf } from './suite-options.ts';

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
    return fetchClient(fetch as never, agent.compose(undiciAuth(tokens, options), carry));
  },
  cycles,
  bodies: fetchBodies(() => formOf(FormData)),
  skips: fetchSkips,
});
