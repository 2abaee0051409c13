import type { ContextItem, ContextKind } from '@baton/protocol';
import { coveredKinds } from '@baton/sdk/plugin';
import { toNumber } from '../citation.ts';

/** What one or several items say, once, on one line. */
export interface Statement {
  readonly kind: ContextKind;
  readonly text: string;
  readonly rationale: string | undefined;
  readonly pinned: boolean;
  /** Of all items that say it, the newest first. */
  readonly citations: readonly string[];
}

/** What must not get lost comes first. */
const kindOrder: readonly ContextKind[] = [...coveredKinds, 'instruction', 'decision', 'question', 'risk', 'fact'];

/** Whether a summary has to carry it. */
export const isDue = ({ kind }: Statement): boolean => coveredKinds.includes(kind);

/** By kind, the pinned ones first, then the newest; the same for the same items in whatever order they come. */
export function toStatements(items: readonly ContextItem[]): Statement[] {
  const ordered = items.toSorted(
    (a, b) =>
      kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind) ||
      Number(b.pinned) - Number(a.pinned) ||
      toNumber(b.citation) - toNumber(a.citation),
  );
  const groups = Map.groupBy(ordered, ({ kind, text }) => `${kind} ${toLine(text)}`);
  return [...groups.values()].map((same) => toStatement(same));
}

function toStatement(same: readonly ContextItem[]): Statement {
  const [{ kind, text, pinned }] = same as [ContextItem];
  const rationale = [...new Set(same.flatMap((item) => (item.rationale === undefined ? [] : [toLine(item.rationale)])))].join(' ');
  return {
    kind,
    text: toLine(text),
    rationale: rationale === '' ? undefined : rationale,
    pinned,
    citations: [...new Set(same.map(({ citation }) => citation))],
  };
}

const toLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
