import type { ContextItem, ContextKind } from '@baton/protocol';
import { coveredKinds } from './check-summary.ts';

/** What one or several items from one source say, once, on one line. */
export interface Statement {
  readonly kind: ContextKind;
  /** Where reasons stand beside it, it ends with a mark, so that it is a sentence of its own before them. */
  readonly text: string;
  readonly rationale: string | undefined;
  readonly pinned: boolean;
  /** Of all items that say it, the newest first. */
  readonly citations: readonly string[];
}

/** The order in which a summary has the kinds: what it has to cover, then what was settled, what is open, and the rest. */
const kindsByNeed: readonly ContextKind[] = [...coveredKinds, 'instruction', 'decision', 'question', 'risk', 'fact'];

/** By kind, the pinned ones first, then the newest; the same for the same items in whatever order they come. */
export function toStatements(items: readonly ContextItem[]): Statement[] {
  const ordered = items.toSorted(
    (a, b) =>
      kindsByNeed.indexOf(a.kind) - kindsByNeed.indexOf(b.kind) ||
      Number(b.pinned) - Number(a.pinned) ||
      toNumber(b.citation) - toNumber(a.citation),
  );
  const groups = Map.groupBy(ordered, ({ kind, source, text }) => `${kind} ${source} ${toLine(text)}`);
  return [...groups.values()].map((same) => toStatement(same));
}

function toStatement(same: readonly ContextItem[]): Statement {
  const [{ kind, text, pinned }] = same as [ContextItem];
  const rationale = [...new Set(same.flatMap((item) => (item.rationale === undefined ? [] : [toLine(item.rationale)])))].join(' ');
  return {
    kind,
    text: rationale === '' || /[.!?…;。！？；]$/.test(toLine(text)) ? toLine(text) : `${toLine(text)}.`,
    rationale: rationale === '' ? undefined : rationale,
    pinned,
    citations: [...new Set(same.map(({ citation }) => citation))],
  };
}

const toLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

const toNumber = (citation: string): number => Number(citation.slice('c:'.length));
