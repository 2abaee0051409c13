import type { ContextItem } from '@baton/protocol';
import MiniSearch from 'minisearch';

/** Writes what a reader is given, of all the notes, oldest first. */
export type Baseline = (items: readonly ContextItem[], question: string) => readonly ContextItem[];

/** What others do, as the order in which notes are taken until the next one does not fit. */
export const baselines = {
  'first N': (items) => items,
  'last N': (items) => items.toReversed(),
  'plain BM25': (items, question) => {
    const search = new MiniSearch({ idField: 'citation', fields: ['text'] });
    search.addAll(items.map(({ citation, text }) => ({ citation, text })));
    const byCitation = new Map(items.map((item) => [item.citation, item]));
    return search.search(question).flatMap(({ id }) => byCitation.get(String(id)) ?? []);
  },
} as const satisfies Record<string, Baseline>;

/** As many lines as fit, each as a pack writes it. */
export function fillBudget(ordered: readonly ContextItem[], budgetTokens: number, count: (text: string) => number): string {
  let text = '';
  for (const { text: said, citation, phase } of ordered) {
    const longer = `${text}- ${said} [${citation}, ${phase}]\n`;
    if (count(longer) > budgetTokens) break;
    text = longer;
  }
  return text;
}
