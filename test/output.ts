import { afterwards } from './world.ts';

type Method = (...args: unknown[]) => unknown;

/** Tells of every call of a method until the test has ended, and lets it pass. */
function spyOn(target: object, name: string, tell: (...args: unknown[]) => void): void {
  const methods = target as Record<string, Method>;
  const original = methods[name]!;
  methods[name] = function spy(this: unknown, ...args) {
    tell(...args);
    return original.apply(this, args);
  };
  afterwards(() => {
    methods[name] = original;
  });
}

/** Tells of all that is printed, warned of, or rejected with nobody there to handle it, until the test has ended. */
export function watchOutput(tell: (...values: unknown[]) => void): void {
  for (const name of Object.keys(console)) {
    if (typeof console[name as keyof Console] === 'function') spyOn(console, name, tell);
  }
  spyOn(process.stdout, 'write', tell);
  spyOn(process.stderr, 'write', tell);
  spyOn(process, 'emitWarning', tell);
  for (const event of ['warning', 'unhandledRejection'] as const) {
    process.on(event, tell);
    afterwards(() => process.off(event, tell));
  }
}
