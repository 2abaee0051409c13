import type { ContextItem, ContextReference } from '@baton/protocol';
import type { Origin } from '../artifact/artifact.service.ts';
import type { ItemOf } from './context.store.ts';

/** In what a statement can differ from one time that it is made to the next. */
type Statement = Pick<ContextItem, 'pinned' | 'references'> & {
  readonly rationale?: string | undefined;
  readonly data?: ContextItem['data'] | undefined;
};

/** Five reasons of full length. Of more the newest stay. */
const rationaleCharactersMax = 20_000;
/** As many as five items may bring. Of more the newest stay. */
const referencesMax = 500;

/**
 * The newer of two times that a statement was made, with all that the older one brings: it stays pinned, each reason stands on a line
 * of its own, and each reference once, the oldest first.
 */
export function mergeItems<Newer extends Statement>(older: Statement, newer: Newer): Newer {
  const rationale = mergeRationales(older.rationale, newer.rationale);
  const data = newer.data ?? older.data;
  return {
    ...newer,
    pinned: older.pinned || newer.pinned,
    references: mergeReferences(older.references, newer.references),
    ...(rationale !== undefined && { rationale }),
    ...(data !== undefined && { data }),
  };
}

function mergeRationales(older: string | undefined, newer: string | undefined): string | undefined {
  if (older === undefined || older.trim() === '') return newer;
  if (newer === undefined || newer.trim() === '') return older;
  const holds = (whole: string, part: string) => `\n${whole}\n`.includes(`\n${part}\n`);
  if (holds(older, newer)) return older;
  if (holds(newer, older)) return newer;
  // Where half a character would be left of the older ones, it goes, too.
  return `${older}\n${newer}`.slice(-rationaleCharactersMax).replace(/^\p{Surrogate}/u, '');
}

function mergeReferences(older: readonly ContextReference[], newer: readonly ContextReference[]): ContextReference[] {
  const byPlace = new Map([...older, ...newer].map((each) => [`${each.kind} ${each.line ?? ''} ${each.value}`, each]));
  return [...byPlace.values()].slice(-referencesMax);
}

/**
 * An item that a visit holds, given again. What is said has the author of the last time, and refers to the tasks of those before;
 * what is recorded keeps its own.
 */
export function repeatItem(older: Statement & Pick<Origin, 'author' | 'taskId' | 'attempt'>, again: ItemOf): ItemOf {
  const { author, taskId, attempt } = older;
  if (again.source !== undefined && again.source !== 'said')
    return { ...again, origin: { ...again.origin, author, taskId, attempt }, item: mergeItems(older, again.item) };
  const isOther = taskId !== undefined && taskId !== again.origin.taskId;
  const references = isOther ? [...older.references, { kind: 'task' as const, value: taskId }] : older.references;
  return { ...again, item: mergeItems({ ...older, references }, again.item) };
}

/** Each statement of a visit once, from one source, in the order in which they come first. */
export function joinRepeated(items: readonly ItemOf[]): ItemOf[] {
  const byKey = new Map<string, ItemOf>();
  for (const each of items) {
    const key = keyOf(each);
    const older = byKey.get(key);
    byKey.set(key, older === undefined ? each : repeatItem({ ...older.origin, ...older.item }, each));
  }
  return [...byKey.values()];
}

const keyOf = ({ origin: { visitId }, source = 'said', item: { kind, text } }: ItemOf): string => `${visitId} ${source} ${kind} ${text}`;

/** Whether one that a visit holds can gain by it. Many tasks say the same of themselves, and add nothing. */
export const bringsMore = ({ source = 'said', item }: ItemOf): boolean => source === 'said' || item.references.length > 0;
