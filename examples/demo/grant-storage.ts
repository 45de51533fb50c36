type Payload = Record<string, unknown>;

/**
 * Where the provider keeps its grants and tokens: a Map for this one run. Without a storage of one's own the provider
 * warns that its quick-start storage is not for production.
 */
export function createGrantStorage(): (model: string) => object {
  const stored = new Map<string, Payload>();

  return (model) => {
    const keyOf = (id: string): string => `${model}:${id}`;
    return {
      find: async (id: string) => stored.get(keyOf(id)),
      async upsert(id: string, payload: Payload) {
        stored.set(keyOf(id), payload);
      },
      async consume(id: string) {
        stored.get(keyOf(id))!['consumed'] = Math.floor(Date.now() / 1000);
      },
      async destroy(id: string) {
        stored.delete(keyOf(id));
      },
      async revokeByGrantId(grantId: string) {
        for (const [key, payload] of stored) if (payload['grantId'] === grantId) stored.delete(key);
      },
    };
  };
}
