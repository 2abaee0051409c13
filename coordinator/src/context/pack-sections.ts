import { type ContextItem, contextKinds } from '@baton/protocol';
import { toNumber } from './citation.ts';
import { flag, obeyed } from '../unseen.ts';
import { clip } from './clip.ts';

/** In the order in which a pack has them. */
const sections = [...contextKinds, 'mechanical', 'reported', 'summary', 'artifact'] as const;
type Section = (typeof sections)[number];

const headings = {
  instruction: 'Instructions',
  constraint: 'Constraints',
  question: 'Open questions',
  decision: 'Decisions',
  rejected: 'Rejected alternatives',
  risk: 'Risks',
  number: 'Numbers',
  fact: 'Facts',
  mechanical: 'Recorded by the coordinator',
  reported: 'Told by artifacts',
  summary: 'What was done',
  artifact: 'Artifacts',
} as const satisfies Record<Section, string>;

const sectionOf = ({ kind, source }: ContextItem): Section => (source === 'said' ? kind : source);

/** The heading of the section that an item stands in. */
export const headingOf = (item: ContextItem): string => headings[sectionOf(item)];

/** The heading of what no longer holds. */
export const noticeHeading = 'No longer holds';
/** The heading of what is said of items that found no room. */
export const narrativeHeading = 'The rest in short';

export const writeHeading = (heading: string): string => `## ${heading}\n`;

/** As much of the reasons for an item stands on its line where others have no room, in characters; `context/expand` tells all of them. */
export const reasonsMax = 400;

// A line is a line: what others wrote cannot begin a section of its own.
export function writeLine(
  { citation, text, rationale = '', phase }: Pick<ContextItem, 'citation' | 'text' | 'rationale' | 'phase'>,
  charactersMax = reasonsMax,
): string {
  const reasons = oneLine(rationale);
  return `- ${oneLine(text)}${reasons === '' ? '' : ` (${clip(reasons, charactersMax)})`} [${citation}, ${phase}]\n`;
}

// Packs are printed too: no terminal is to obey what others wrote.
const special = new RegExp(`(${flag}|\\t)|${obeyed}`, 'gv');

/** A line is a line: breaks are blanks, and what is obeyed, but for tabs, is a sign that is not. */
export const oneLine = (text: string): string =>
  text
    .split(/[\r\n\u2028\u2029]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ')
    .replace(special, (_, allowed?: string) => allowed ?? '\uFFFD');

export interface Written {
  readonly notices: readonly string[];
  readonly chosen: readonly ContextItem[];
  /** Those of them that stand there with all of their reasons. */
  readonly whole: ReadonlySet<ContextItem>;
  /** The phases, in the order of the workflow. */
  readonly phases: readonly string[];
  readonly inShort: readonly string[];
}

/** The sections that have something, in their order; in each what is pinned, then the phases in theirs. */
export function writeSections({ notices, chosen, whole, phases, inShort }: Written): string {
  const order = new Map(phases.map((phase, index) => [phase, index]));
  const placeOf = ({ phase }: ContextItem) => order.get(phase) ?? 0;
  const inOrder = [...chosen].sort(
    (a, b) => Number(b.pinned) - Number(a.pinned) || placeOf(a) - placeOf(b) || toNumber(a.citation) - toNumber(b.citation),
  );
  const linesOf = (section: Section) =>
    inOrder.filter((item) => sectionOf(item) === section).map((item) => writeLine(item, whole.has(item) ? Infinity : reasonsMax));
  return [
    writeSection(noticeHeading, notices),
    ...sections.map((section) => writeSection(headings[section], linesOf(section))),
    writeSection(narrativeHeading, inShort),
  ]
    .filter((section) => section !== '')
    .join('\n');
}

const writeSection = (heading: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `${writeHeading(heading)}${lines.join('')}`;
