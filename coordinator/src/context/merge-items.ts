import { type ContextItem, type ContextReference, contextJsonCharactersMax, contextReferencesMax } from '@baton/protocol';
import type { Origin } from '../artifact/artifact.service.ts';
import type { ItemOf } from './context.store.ts';
import { mayOperate } from './standing-rules.ts';

/** In what a statement can differ from one time that it is made to the next. */
type Statement = Pick<ContextItem, 'pinned' | 'references'> & {
  readonly rationale?: string | undefined;
  readonly data?: ContextItem['data'] | undefined;
  readonly byOperator?: boolean | undefined;
};

/** Five reasons of full length. Of more the newest stay, and a line says how much was cut. */
const rationaleCharactersMax = 20_000;

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

/**
 * What an operator has had a say in, said again by an agent: as it is, but for its pin and the references that come to those it has.
 */
export const addReferences = <Kept extends Statement>(kept: Kept, again: Pick<Statement, 'pinned' | 'references'>): Kept => ({
  ...kept,
  pinned: kept.pinned || again.pinned,
  references: takeFitting(listOnce([...kept.references, ...again.references])),
});

function mergeRationales(older: string | undefined, newer: string | undefined): string | undefined {
  const [before, now] = [readReasons(older), readReasons(newer)];
  const cut = before.cut + now.cut;
  const holds = (whole: string, part: string) => `\n${whole}\n`.includes(`\n${part}\n`);
  if (now.text.trim() === '' || holds(before.text, now.text)) return writeReasons({ text: before.text, cut }) ?? newer;
  if (before.text.trim() === '' || holds(now.text, before.text)) return writeReasons({ text: now.text, cut });
  return writeReasons({ text: `${before.text}\n${now.text}`, cut });
}

interface Reasons {
  readonly text: string;
  /** How many characters had no room before. */
  readonly cut: number;
}

const cutMark = /\n… (\d+) characters of older reasons had no room\.$/;
/** Longer than any mark. */
const cutMarkMax = 70;

function readReasons(rationale = ''): Reasons {
  const mark = cutMark.exec(rationale);
  return mark === null ? { text: rationale, cut: 0 } : { text: rationale.slice(0, mark.index), cut: Number(mark[1]) };
}

function writeReasons({ text, cut }: Reasons): string | undefined {
  if (cut === 0 && text.length <= rationaleCharactersMax) return text === '' ? undefined : text;
  // Where half a character would be left of the older ones, it goes, too.
  const kept = text.slice(-(rationaleCharactersMax - cutMarkMax)).replace(/^\p{Surrogate}/u, '');
  return `${kept}\n… ${cut + text.length - kept.length} characters of older reasons had no room.`;
}

/** Each once; of more than an item takes the newest. */
const mergeReferences = (older: readonly ContextReference[], newer: readonly ContextReference[]): ContextReference[] =>
  takeFitting(listOnce([...older, ...newer]).toReversed()).toReversed();

const listOnce = (references: readonly ContextReference[]): ContextReference[] => [
  ...new Map(references.map((each) => [`${each.kind} ${each.line ?? ''}-${each.lineEnd ?? ''} ${each.value}`, each])).values(),
];

/** From the first on as many as an item takes. */
function takeFitting(references: readonly ContextReference[]): ContextReference[] {
  let characters = 0;
  const end = references.findIndex((each) => (characters += JSON.stringify(each).length + 1) >= contextJsonCharactersMax);
  return references.slice(0, Math.min(contextReferencesMax, end === -1 ? references.length : end));
}

/**
 * An item that a visit holds, given again. What is said has the author of the last time, and refers to the tasks of those before;
 * what is recorded keeps its own, and what an operator has had a say in is not for agents to change.
 */
export function repeatItem(older: Statement & Pick<Origin, 'author' | 'role' | 'taskId' | 'attempt'>, again: ItemOf): ItemOf {
  const { author, taskId, attempt } = older;
  const role = mayOperate(older) ? older.role : again.origin.role;
  if (again.source !== undefined && again.source !== 'said')
    return { ...again, origin: { ...again.origin, author, role, taskId, attempt }, item: mergeItems(older, again.item) };
  if ((older.byOperator === true || mayOperate(older)) && !mayOperate(again.origin)) {
    const { pinned, references, rationale, data } = addReferences(older, again.item);
    const { kind, text } = again.item;
    const item = { kind, text, pinned, references, ...(rationale !== undefined && { rationale }), ...(data !== undefined && { data }) };
    return { ...again, origin: { ...again.origin, author, role, taskId, attempt }, item };
  }
  const isOther = taskId !== undefined && taskId !== again.origin.taskId;
  const references = isOther ? [...older.references, { kind: 'task' as const, value: taskId }] : older.references;
  return { ...again, origin: { ...again.origin, role }, item: mergeItems({ ...older, references }, again.item) };
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
