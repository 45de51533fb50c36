export { gotAuth } from './got-auth.ts';
