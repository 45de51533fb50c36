import type { TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import OpenAI from 'openai';

export function createOpenAI(baseURL: string, tokens: TokenSource): OpenAI {
  return new OpenAI({
    baseURL,
    // Replaced by fetchAuth: the SDK always sends a key, and a function here would leave each 401 to the caller.
    apiKey: 'see-fetch',
    fetch: fetchAuth(tokens, { replaceAuthorization: true }),
  });
}
