import type { TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import OpenAI from 'openai';

export function createOpenAI(baseURL: string, tokens: TokenSource): OpenAI {
  return new OpenAI({
    baseURL,
    // A placeholder that fetchAuth replaces: the SDK sends whatever it finds here as a bearer token, to any `baseURL`, and
    // a function that returns the access token would leave each 401 to the caller.
    apiKey: 'see-fetch',
    fetch: fetchAuth(tokens, { replaceAuthorization: true }),
  });
}
