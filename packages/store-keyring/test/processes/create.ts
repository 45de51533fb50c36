// Creates a store and says what came of it.
import { createKeyringStore } from '../../src/index.ts';

try {
  createKeyringStore({ service: 'test' });
  process.stdout.write('created\n');
} catch (error) {
  const { code, message } = error as { code?: string; message?: string };
  process.stdout.write(`${code} ${message}\n`);
}
