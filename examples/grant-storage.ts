type Payload = Record<string, unknown>;

/**
 * Where the provider keeps, for this one run, what it issued. Without a storage of one's own oidc-provider warns that
 * its quick-start storage is not for production.
 */
export function createGrantStorage(): (model: string) => object {
  const stored = new Map<string, Payload>();

  return (model) => {
    const keyOf = (id: string): string => `${model}:${id}`;
    const findBy = async (name: string, value: string): Promise<Payload | undefined> =>
      [...stored.values()].find((payload) => payload['kind'] === model && payload[name] === value);
    return {
      find: async (id: string) => stored.get(keyOf(id)),
      findByUid: (uid: string) => findBy('uid', uid),
      findByUserCode: (userCode: string) => findBy('userCode', userCode),
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
