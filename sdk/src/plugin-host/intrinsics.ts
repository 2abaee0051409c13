/** What all code of a thread shares, and what an answer is made with. */
const shared: readonly object[] = [
  Object,
  Object.prototype,
  Function.prototype,
  Array,
  Array.prototype,
  String.prototype,
  Number.prototype,
  Boolean.prototype,
  RegExp.prototype,
  Date.prototype,
  Error.prototype,
  Map.prototype,
  Set.prototype,
  Promise,
  Promise.prototype,
  Reflect,
  JSON,
  Math,
];

// Taken before any plugin is loaded: it could change these as well.
const { getOwnPropertyDescriptors, is } = Object;
const { ownKeys } = Reflect;

/** Remembers what the intrinsics are now, and tells later whether they still are. */
export function watchIntrinsics(): () => boolean {
  const before = shared.map((object) => getOwnPropertyDescriptors(object) as Record<PropertyKey, PropertyDescriptor>);
  return () => {
    for (let index = 0; index < shared.length; index += 1) {
      const now = getOwnPropertyDescriptors(shared[index] as object) as Record<PropertyKey, PropertyDescriptor>;
      if (!isSame(before[index] as Record<PropertyKey, PropertyDescriptor>, now)) return false;
    }
    return true;
  };
}

function isSame(before: Record<PropertyKey, PropertyDescriptor>, now: Record<PropertyKey, PropertyDescriptor>): boolean {
  const keys = ownKeys(before);
  if (keys.length !== ownKeys(now).length) return false;
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index] as PropertyKey;
    const [a, b] = [before[key], now[key]];
    if (a === undefined || b === undefined || !is(a.value, b.value) || a.get !== b.get || a.set !== b.set) return false;
  }
  return true;
}
