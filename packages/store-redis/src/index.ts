export { createRedisStore, type RedisStoreOptions } from './redis-store.ts';
export type {
  IoRedisClient,
  IoRedisSubscriber,
  NodeRedisClient,
  NodeRedisSubscriber,
  RedisClient,
  RedisSubscriber,
} from './redis-client.ts';
