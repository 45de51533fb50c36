import { explain401, type TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';

export interface GraphQLProblem {
  readonly message: string;
  /** The field that failed; a request that was refused as a whole has none. */
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string };
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLProblem[];
}

/** The operation was answered, but not, or not in full, with data. */
export class GraphQLError extends Error {
  override readonly name = 'GraphQLError';
  readonly problems: readonly GraphQLProblem[];
  /** What there is all the same. */
  readonly data: unknown;

  constructor(problems: readonly GraphQLProblem[], data: unknown) {
    super(problems.map(({ message }) => message).join('; '));
    this.problems = problems;
    this.data = data;
  }
}

async function readAnswer(response: Response): Promise<Answer | undefined> {
  const isJson = /^application\/(?:graphql-response\+)?json\b/i.test(
    response.headers.get('content-type') ?? '',
  );
  return isJson ? (((await response.json()) as Answer | null) ?? undefined) : undefined;
}

function isUnauthenticated({ data, errors = [] }: Answer): boolean {
  // An error with a path is one of a field, and fields beside it were executed, also where `data` is null: sent again, a
  // mutation would be done twice.
  return (
    (data ?? undefined) === undefined &&
    errors.every(({ path }) => path === undefined) &&
    errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED')
  );
}

/** A fetch that tells a refusal within a 200 as the 401 that it is, so that it is cured like one. */
async function fetchGraphQL(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  const answer = response.ok ? await readAnswer(response.clone()).catch(() => undefined) : undefined;
  if (answer === undefined || !isUnauthenticated(answer)) return response;
  return new Response(response.body, { status: 401, headers: response.headers });
}

export type Execute = (query: string, variables?: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** Rejects with a GraphQLError, with an AccessTokenError where no access token can be had, or as fetch does. */
export function createGraphQLClient(endpoint: string, tokens: TokenSource): Execute {
  const authFetch = fetchAuth(tokens, { fetch: fetchGraphQL });

  return async (query, variables = {}) => {
    const response = await authFetch(endpoint, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/graphql-response+json, application/json',
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(10_000),
    });
    const cause = explain401(response)?.error;
    if (cause !== undefined) {
      await response.body?.cancel();
      throw cause;
    }
    const answer = await readAnswer(response);
    if (answer?.errors !== undefined) throw new GraphQLError(answer.errors, answer.data);
    if (!response.ok || answer === undefined) throw new Error(`${endpoint} was answered ${response.status}`);
    return answer.data;
  };
}
