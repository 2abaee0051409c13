import { expect, test } from 'vitest';
import { watchIntrinsics } from './intrinsics.ts';

const isUntouched = watchIntrinsics();
const { floor } = Math;

/** What the watch says while a property is so, or is not there. It is put back. */
function whileIs(object: object, key: PropertyKey, property: PropertyDescriptor | undefined): boolean {
  const before = Object.getOwnPropertyDescriptor(object, key);
  const set = (to: PropertyDescriptor | undefined) =>
    to === undefined ? Reflect.deleteProperty(object, key) : Reflect.defineProperty(object, key, { configurable: true, ...to });
  set(property);
  const said = isUntouched();
  set(before);
  return said;
}

test('what nobody has changed is untouched', () => expect(isUntouched()).toBe(true));

test.each<[string, object, PropertyKey, PropertyDescriptor | undefined]>([
  ['a property more', Object.prototype, 'isAdmin', { value: true }],
  ['a symbol more', Array.prototype, Symbol.for('more'), { value: true }],
  ['a property less', Math, 'cbrt', undefined],
  ['another value', JSON, 'stringify', { value: () => '{}' }],
  ['a getter that tells the old value', Math, 'floor', { get: () => floor }],
])('%s is noticed, and is not once it is as before', (_, object, key, property) => {
  expect(whileIs(object, key, property)).toBe(false);
  expect(isUntouched()).toBe(true);
});
