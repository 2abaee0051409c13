import { createHash } from 'node:crypto';
import {
  contextJsonCharactersMax,
  contextReferencesMax,
  type ContextKind,
  type ContextReference,
  type JsonObject,
  type JsonValue,
  type NewContextItem,
  newContextItem,
} from '@baton/protocol';
import { clip } from './clip.ts';

/** What is read of the lists in an output. */
const listedMax = 100;
/** What an item takes for a statement or its reasons. */
const textMax = 4_000;
/** So many names fit into an item, however each character of them is written. */
const namesMax = 20;
/** How much of the entries that were not taken is shown, in characters. */
const shownMax = 300;

/** The lists of an output that are read as items. An instruction is nothing that a task's output gives. */
const kindOfList = {
  decisions: 'decision',
  constraints: 'constraint',
  rejected: 'rejected',
  risks: 'risk',
  questions: 'question',
  facts: 'fact',
  numbers: 'number',
} as const satisfies Record<string, ContextKind>;

interface Listed {
  readonly items: readonly NewContextItem[];
  /** What was not taken, in words, with the entries for programs; null where they are too much for an item. */
  readonly leftOut: readonly { readonly text: string; readonly data: JsonValue }[];
}

/**
 * The items in an output such as `{ decisions: ['Use OAuth2', { text: 'Use PostgreSQL', rationale: 'We know it.' }] }`. What an entry
 * has beside the fields of an item becomes its `data`. One entry may stand without a list, and texts and numbers may have names:
 * `{ constraints: 'No lock', numbers: { poolSize: 32 } }`. An entry without a text, and what is beyond the limit, is named as left out.
 */
export function readListedItems(output: JsonValue | undefined): Listed {
  if (!isObject(output)) return { items: [], leftOut: [] };
  const lists = Object.entries(kindOfList).map(([name, kind]) =>
    readList(name, kind, Object.hasOwn(output, name) ? output[name] : undefined),
  );
  return { items: lists.flatMap(({ items }) => items), leftOut: lists.flatMap(({ leftOut }) => leftOut) };
}

function readList(name: string, kind: ContextKind, given: JsonValue | undefined): Listed {
  const list = listEntries(given);
  const entries: readonly JsonValue[] = list.slice(0, listedMax);
  const items = entries.map((entry) => toItem(kind, entry));
  const taken = items.flatMap((item) => item ?? []);
  const others = entries.filter((_, index) => items[index] === undefined);
  const shown = clip(others.map((entry) => JSON.stringify(entry)).join(', '), shownMax);
  const beyond = list.length - entries.length;
  return {
    items: taken,
    leftOut: [
      ...(others.length === 0 ? [] : [{ text: `has under "${name}" what has no text and was not taken: ${shown}`, data: others }]),
      ...(beyond === 0 ? [] : [{ text: `has under "${name}" ${beyond} more than the ${listedMax} that were taken`, data: { beyond } }]),
    ].map(({ text, data }) => ({ text, data: fits(data) ? data : null })),
  };
}

function listEntries(given: JsonValue | undefined): readonly JsonValue[] {
  if (given === undefined || given === null || given === '') return [];
  if (Array.isArray(given)) return given as readonly JsonValue[];
  if (!isObject(given) || typeof given['text'] === 'string') return [given];
  return Object.entries(given).map(([name, value]) => (isPlain(value) ? `${name}: ${value}` : { [name]: value }));
}

const isPlain = (value: JsonValue): value is string | number => typeof value === 'string' || typeof value === 'number';

function toItem(kind: ContextKind, entry: JsonValue): NewContextItem | undefined {
  const given: JsonObject = typeof entry === 'string' ? { text: entry } : isObject(entry) ? entry : {};
  const { text, rationale, data, references, pinned, ...rest } = given;
  if (typeof text !== 'string' || text.trim() === '') return undefined;
  const { taken, others } = readReferences(references);
  const left: JsonObject = {
    ...rest,
    ...(text.length > textMax && { text }),
    ...(rationale !== undefined && !(typeof rationale === 'string' && rationale.length <= textMax) && { rationale }),
    ...(others !== undefined && { references: others }),
    ...(pinned !== undefined && typeof pinned !== 'boolean' && { pinned }),
  };
  const kept = keepRest(data, left);
  return {
    kind,
    text: clipText(text),
    references: taken,
    pinned: pinned === true,
    ...(typeof rationale === 'string' && { rationale: clip(rationale, textMax) }),
    ...(kept !== undefined && { data: kept }),
  };
}

/** Two texts that only begin alike stay two: what is cut ends with a digest of the whole. */
function clipText(text: string): string {
  if (text.length <= textMax) return text;
  const mark = ` (sha256 ${createHash('sha256').update(text).digest('hex').slice(0, 12)})`;
  return `${clip(text, textMax - mark.length)}${mark}`;
}

/** The data as given where there is nothing else, else all of it beside the rest; of what is too much for an item its names. */
function keepRest(data: JsonValue | undefined, rest: JsonObject): JsonValue | undefined {
  if (Object.keys(rest).length === 0 && (data === undefined || fits(data))) return data;
  const whole = data === undefined ? rest : { ...rest, data };
  if (fits(whole)) return whole;
  const named = { leftOut: namesOf(rest) };
  return data !== undefined && fits({ ...named, data }) ? { ...named, data } : { leftOut: namesOf(whole) };
}

const namesOf = (rest: JsonObject): string[] =>
  Object.keys(rest)
    .slice(-namesMax)
    .map((name) => clip(name, 100));

function readReferences(given: JsonValue | undefined): { taken: ContextReference[]; others?: JsonValue } {
  if (given === undefined) return { taken: [] };
  if (!Array.isArray(given)) return { taken: [], others: given };
  const taken: ContextReference[] = [];
  const others: JsonValue[] = [];
  for (const each of given as readonly JsonValue[]) {
    const read = newContextItem.shape.references.safeParse([each]);
    if (read.success && taken.length < contextReferencesMax && fits([...taken, each])) taken.push(...read.data);
    else others.push(each);
  }
  return { taken, ...(others.length > 0 && { others }) };
}

const fits = (value: unknown): boolean => JSON.stringify(value).length <= contextJsonCharactersMax;

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
