import { type ContextItem, type ContextKind, coveredKinds, kindsByNeed } from '@baton/sdk/plugin';

/** What several items may have said, once. */
export interface Entry {
  readonly kind: ContextKind;
  readonly text: string;
  readonly rationale: string | undefined;
  /** Of all items that said it, newest first. */
  readonly citations: readonly string[];
}

export const isKept = ({ kind }: Entry): boolean => coveredKinds.includes(kind);

/** One entry per kind, source and text, whose blanks alone may differ, by kind, pinned ones first, then the newest. */
export function toEntries(items: readonly ContextItem[]): Entry[] {
  const ordered = items.toSorted(
    (a, b) =>
      kindsByNeed.indexOf(a.kind) - kindsByNeed.indexOf(b.kind) ||
      Number(b.pinned) - Number(a.pinned) ||
      compareTexts(b.createdAt, a.createdAt) ||
      numberOf(b) - numberOf(a) ||
      compareTexts(b.citation, a.citation),
  );
  return [...Map.groupBy(ordered, ({ kind, source, text }) => `${kind} ${source} ${normalise(text)}`).values()].map(toEntry);
}

function toEntry(items: readonly ContextItem[]): Entry {
  const [newest] = items;
  if (newest === undefined) throw new TypeError('A group has an item.');
  const rationale = items.map((item) => item.rationale).find((text) => text !== undefined);
  return {
    kind: newest.kind,
    text: normalise(newest.text),
    rationale: rationale === undefined ? undefined : normalise(rationale),
    citations: [...new Set(items.map(({ citation }) => citation))],
  };
}

/** An entry is one line, whatever its item looked like. */
const normalise = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

const numberOf = ({ citation }: ContextItem) => Number(/\d+$/.exec(citation)?.[0] ?? 0);

/** By code units, the same on every machine. */
const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
