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
const { getOwnPropertyDescriptor, is } = Object;
const { ownKeys } = Reflect;

interface Known {
  readonly object: object;
  readonly keys: readonly PropertyKey[];
  /** In the order of the keys. */
  readonly properties: readonly PropertyDescriptor[];
}

/** Remembers what the intrinsics are now, and tells later whether they still are. */
export function watchIntrinsics(): () => boolean {
  const known = shared.map(remember);
  return () => {
    for (let index = 0; index < known.length; index += 1) if (!isUnchanged(known[index] as Known)) return false;
    return true;
  };
}

function remember(object: object): Known {
  const keys = ownKeys(object);
  return { object, keys, properties: keys.map((key) => getOwnPropertyDescriptor(object, key) as PropertyDescriptor) };
}

// One property after the other: this runs twice in each job, and an object of them all would take longer than many a validator.
function isUnchanged({ object, keys, properties }: Known): boolean {
  if (ownKeys(object).length !== keys.length) return false;
  for (let index = 0; index < keys.length; index += 1) {
    const before = properties[index];
    const now = getOwnPropertyDescriptor(object, keys[index] as PropertyKey);
    if (before === undefined || now === undefined) return false;
    if (!is(before.value, now.value) || before.get !== now.get || before.set !== now.set) return false;
  }
  return true;
}
