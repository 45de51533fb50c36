export { kyAuth } from './ky-auth.ts';
