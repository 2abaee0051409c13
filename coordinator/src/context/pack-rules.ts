import { type ContextItem, type ContextKind, contextKinds, CoordinatorError, type PhaseContext } from '@baton/protocol';

export type CountTokens = (text: string) => number;

export interface PackText {
  readonly text: string;
  readonly tokens: number;
  readonly omitted: { citation: string; tokens: number }[];
}

const headings = {
  instruction: 'Instructions',
  constraint: 'Constraints',
  question: 'Open questions',
  decision: 'Decisions',
  rejected: 'Rejected alternatives',
  risk: 'Risks',
  number: 'Numbers',
  fact: 'Facts',
} as const satisfies Record<ContextKind, string>;

/** What must not be forgotten comes before what is good to know: the order in which items are given room. */
const importance: readonly ContextKind[] = ['instruction', 'constraint', 'number', 'rejected', 'decision', 'question', 'risk', 'fact'];

const toLine = ({ citation, text, rationale, phase }: ContextItem) =>
  `- ${text}${rationale === undefined ? '' : ` (${rationale})`} [${citation}, ${phase}]`;

/**
 * Writes a pack within a budget: pinned items first, then by importance, the newest first. The text has its sections in a
 * fixed order and is the same for the same items. What the tasks said of themselves and an index of the artifacts follow where
 * there is room.
 * @throws CoordinatorError `limit_exceeded` where the pinned items alone do not fit
 */
export function writePack(phases: readonly PhaseContext[], budgetTokens: number, count: CountTokens): PackText {
  const items = phases.flatMap((phase) => phase.items);
  const ranked = [...items].sort(byImportance);
  const chosen = new Set<ContextItem>();
  const omitted: { citation: string; tokens: number }[] = [];
  // Headings are counted as if every kind had one; a line's own count is never less than what it adds to the whole.
  let tokens = 0;
  const opened = new Set<ContextKind>();
  for (const item of ranked) {
    const cost = count(`${toLine(item)}\n`) + (opened.has(item.kind) ? 0 : count(`\n## ${headings[item.kind]}\n`));
    if (tokens + cost > budgetTokens) {
      if (item.pinned)
        throw new CoordinatorError('limit_exceeded', {
          message: `The pinned items need more than ${budgetTokens} tokens; ask for a larger budget.`,
          citation: item.citation,
        });
      omitted.push({ citation: item.citation, tokens: cost });
      continue;
    }
    tokens += cost;
    opened.add(item.kind);
    chosen.add(item);
  }
  const sections = contextKinds.flatMap((kind) =>
    writeSection(headings[kind], items.filter((item) => item.kind === kind && chosen.has(item)).map(toLine)),
  );
  // What is good to have besides, as far as there is room: everything, else the artifacts, else the items alone.
  const summaries = writeSection('What was done', phases.flatMap(listSummaries));
  const artifacts = writeSection('Artifacts', phases.flatMap(listArtifacts));
  const written = [[...sections, ...summaries, ...artifacts], [...sections, ...artifacts], sections].map((lines) => lines.join('\n'));
  const text = written.find((each) => count(each) <= budgetTokens) ?? sections.join('\n');
  return { text, tokens: count(text), omitted };
}

const writeSection = (heading: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : [`## ${heading}`, ...lines, '']);

const listSummaries = ({ phase, summaries }: PhaseContext): string[] => summaries.map((summary) => `- ${summary} [${phase}]`);

const listArtifacts = ({ phase, artifacts }: PhaseContext): string[] =>
  artifacts.map(({ type, name, version, sha256 }) => `- ${type} "${name}" version ${version}, sha256 ${sha256.slice(0, 12)} [${phase}]`);

const numberOf = ({ citation }: ContextItem) => Number(citation.slice('c:'.length));

function byImportance(a: ContextItem, b: ContextItem): number {
  if (a.pinned !== b.pinned) return a.pinned ? -1 : 1;
  return importance.indexOf(a.kind) - importance.indexOf(b.kind) || numberOf(b) - numberOf(a);
}
