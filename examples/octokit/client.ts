import type { TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { Octokit } from 'octokit';

/** Without `auth`, which would set an Authorization of its own. */
export function createOctokit(baseUrl: string, tokens: TokenSource): Octokit {
  const octokit = new Octokit({ baseUrl, request: { fetch: fetchAuth(tokens) } });
  // Octokit takes whatever its fetch throws for a 500, and repeats it for 14 s; what is thrown here reaches the caller.
  octokit.hook.before('request', async ({ request }) => {
    await tokens.getAccessToken({ signal: request.signal });
  });
  return octokit;
}
