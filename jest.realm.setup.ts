import { types } from 'node:util';

// Jest runs tests in a VM realm of its own, so errors made by Node itself (fetch, fs, DOMException) are not
// `instanceof` this realm's Error. Libraries that ask that question (p-retry, axios) then misjudge them.
const ordinary = Function.prototype[Symbol.hasInstance] as (this: unknown, value: unknown) => boolean;

for (const constructor of [Error, TypeError, RangeError, SyntaxError] as const) {
  Object.defineProperty(constructor, Symbol.hasInstance, {
    configurable: true,
    value(this: unknown, value: unknown): boolean {
      if (ordinary.call(this, value)) return true;
      // Subclasses inherit this method; only the constructor itself may answer for another realm.
      if (this !== constructor) return false;
      if (constructor === Error) return types.isNativeError(value) || value instanceof DOMException;
      return types.isNativeError(value) && value.name === constructor.name;
    },
  });
}
