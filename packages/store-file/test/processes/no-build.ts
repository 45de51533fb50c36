// A platform for which there is no native build.
Object.defineProperty(process, 'arch', { value: 'vax' });
const { createFileStore } = await import('../../src/index.ts');
try {
  createFileStore({ path: process.argv[2]! });
  process.stdout.write('no error\n');
} catch (error) {
  const { name, code, message } = error as { name: string; code?: string; message: string };
  process.stdout.write(`${JSON.stringify({ name, code, message })}\n`);
}
