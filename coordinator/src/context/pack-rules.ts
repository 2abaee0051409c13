import { type ContextItem, type ContextKind, contextKinds, CoordinatorError } from '@baton/protocol';
import { numberOf } from './rank-items.ts';

export type CountTokens = (text: string) => number;

export interface PackParts {
  /** In the order in which they are given room: the pinned ones first. */
  readonly ranked: readonly ContextItem[];
  /** The phases, in the order of the workflow. */
  readonly phases: readonly string[];
  /** What no longer holds, for a reader who may know it. As important as what is pinned. */
  readonly withdrawn?: readonly { readonly citation: string; readonly by?: string | undefined }[];
  /** What is said of phases in short, the nearest phase first: for what finds no room. */
  readonly narratives?: readonly string[];
}

export interface PackText {
  readonly text: string;
  readonly tokens: number;
  /** Those that the text has. */
  readonly chosen: readonly ContextItem[];
  readonly omitted: { citation: string; tokens: number }[];
}

/** In the order in which a pack has them. */
const sections = [...contextKinds, 'mechanical', 'summary', 'artifact'] as const;
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
  summary: 'What was done',
  artifact: 'Artifacts',
} as const satisfies Record<ContextKind | Section, string>;

const sectionOf = ({ kind, source }: ContextItem): Section => (source === 'said' ? kind : source);

/** Below this many tokens all room goes to items. */
const narrativeFrom = 2_000;
/** The share of a larger budget that is kept for narratives where items are left out. */
const narrativeShare = 0.2;

/**
 * Writes a pack within a budget: what is pinned, then the items in their rank as far as they fit, then what the narratives say of
 * the rest. The text has its sections in a fixed order and is the same for the same items. A larger budget holds whatever a
 * smaller one did, because both take from the beginning of one and the same order.
 * @throws CoordinatorError `limit_exceeded` where the pinned items alone do not fit
 */
export function writePack(
  { ranked, phases, withdrawn = [], narratives = [] }: PackParts,
  budgetTokens: number,
  count: CountTokens,
): PackText {
  const notices = withdrawn.map(({ citation, by }) => `- [${citation}] no longer holds${by === undefined ? '' : `: see [${by}]`}`);
  const pinned = ranked.filter((item) => item.pinned);
  const room = createRoom(count);
  room.take('No longer holds', notices);
  for (const item of pinned) room.take(headings[sectionOf(item)], [toLine(item)]);
  if (room.spent() > budgetTokens)
    throw new CoordinatorError('limit_exceeded', {
      message: `The pinned items need ${room.spent()} tokens, and the budget is ${budgetTokens}; ask for a larger one.`,
      neededTokens: room.spent(),
    });

  const rest = inTurn(
    ranked.filter((item) => !item.pinned).map((item) => ({ item, tokens: count(`${toLine(item)}\n`) })),
    room.spent(),
  );
  const sayings = narratives.flatMap((narrative) => narrative.split('\n')).filter((line) => citationsIn(line).length > 0);
  const kept = roomForItems(
    budgetTokens,
    sayings.reduce((sum, line) => sum + count(`- ${line}\n`), 0),
  );
  const fits = fill(room, rest, budgetTokens);
  const taken = fits.length === rest.length ? fits : fill(room, rest, kept);
  const chosen = [...pinned, ...taken.map(({ item }) => item)];
  const omitted = rest.slice(taken.length).map(({ item, tokens }) => ({ citation: item.citation, tokens }));
  const inShort = sayForOmitted(sayings, omitted, budgetTokens - room.after(taken), count);
  const text = write({ notices, chosen, phases, inShort });
  return { text, tokens: count(text), chosen, omitted };
}

interface Entry {
  readonly item: ContextItem;
  readonly tokens: number;
}

/** A line that is no larger than this is never put off. */
const smallLine = 96;

/**
 * The rank, except that a large line waits until eight times its size has been given out: else one long item would take the
 * place of many, and where it does not fit nothing behind it would be reached.
 */
function inTurn(entries: readonly Entry[], spentBefore: number): Entry[] {
  const order: Entry[] = [];
  const waiting: Entry[] = [];
  let spent = spentBefore;
  let first = 0;
  const place = (entry: Entry) => {
    order.push(entry);
    spent += entry.tokens;
  };
  const isDue = ({ tokens }: Entry) => tokens <= Math.max(smallLine, spent / 8);
  for (const entry of entries) {
    if (isDue(entry)) place(entry);
    else waiting.push(entry);
    for (let next = waiting[first]; next !== undefined && isDue(next); next = waiting[first]) {
      first += 1;
      place(next);
    }
  }
  return [...order, ...waiting.slice(first)];
}

/** As much of the beginning as fits. */
function fill(room: Room, entries: readonly Entry[], budgetTokens: number): Entry[] {
  const taken: Entry[] = [];
  const opened = new Set(room.opened());
  let spent = room.spent();
  for (const entry of entries) {
    const heading = headings[sectionOf(entry.item)];
    const cost = entry.tokens + (opened.has(heading) ? 0 : room.costOf(heading));
    if (spent + cost > budgetTokens) break;
    spent += cost;
    opened.add(heading);
    taken.push(entry);
  }
  return taken;
}

/** Never less for a larger budget. */
const roomForItems = (budgetTokens: number, narrativeTokens: number): number =>
  budgetTokens < narrativeFrom
    ? budgetTokens
    : Math.max(narrativeFrom, Math.floor(budgetTokens - Math.min(budgetTokens * narrativeShare, narrativeTokens)));

interface Room {
  take(heading: string, lines: readonly string[]): void;
  spent(): number;
  /** What it comes to with these besides. */
  after(entries: readonly Entry[]): number;
  opened(): Iterable<string>;
  costOf(heading: string): number;
}

/** Counts each line and heading by itself: together they are never more. */
function createRoom(count: CountTokens): Room {
  const opened = new Set<string>();
  let spent = 0;
  const costOf = (heading: string) => count(`\n## ${heading}\n`);
  return {
    take(heading, lines) {
      if (lines.length === 0) return;
      if (!opened.has(heading)) spent += costOf(heading);
      opened.add(heading);
      for (const line of lines) spent += count(`${line}\n`);
    },
    spent: () => spent,
    after(entries) {
      const added = new Set(entries.map(({ item }) => headings[sectionOf(item)]).filter((heading) => !opened.has(heading)));
      return entries.reduce(
        (sum, { tokens }) => sum + tokens,
        [...added].reduce((sum, heading) => sum + costOf(heading), spent),
      );
    },
    opened: () => opened,
    costOf,
  };
}

/** The lines of the narratives that speak of what was left out, as far as they fit. */
function sayForOmitted(
  lines: readonly string[],
  omitted: readonly { readonly citation: string }[],
  roomTokens: number,
  count: CountTokens,
): string[] {
  const left = new Set(omitted.map(({ citation }) => citation));
  const said: string[] = [];
  let spent = count(`\n## ${narrativeHeading}\n`);
  for (const line of lines) {
    const cost = count(`- ${line}\n`);
    if (!citationsIn(line).some((citation) => left.has(citation)) || spent + cost > roomTokens) continue;
    spent += cost;
    said.push(`- ${line.replace(/^- /, '')}`);
  }
  return said;
}

const narrativeHeading = 'The rest in short';

const citationsIn = (line: string): string[] => line.match(/\bc:\d+/g) ?? [];

interface Written {
  readonly notices: readonly string[];
  readonly chosen: readonly ContextItem[];
  readonly phases: readonly string[];
  readonly inShort: readonly string[];
}

function write({ notices, chosen, phases, inShort }: Written): string {
  const order = new Map(phases.map((phase, index) => [phase, index]));
  const placeOf = ({ phase }: ContextItem) => order.get(phase) ?? 0;
  const inOrder = [...chosen].sort((a, b) => Number(b.pinned) - Number(a.pinned) || placeOf(a) - placeOf(b) || numberOf(a) - numberOf(b));
  return [
    ...writeSection('No longer holds', notices),
    ...sections.flatMap((section) => writeSection(headings[section], inOrder.filter((item) => sectionOf(item) === section).map(toLine))),
    ...writeSection(narrativeHeading, inShort),
  ].join('\n');
}

const writeSection = (heading: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : [`## ${heading}`, ...lines, '']);

// A line is a line: what others wrote cannot begin a section of its own.
const toLine = ({ citation, text, rationale, phase }: ContextItem): string =>
  `- ${oneLine(text)}${rationale === undefined ? '' : ` (${oneLine(rationale)})`} [${citation}, ${phase}]`;

const oneLine = (text: string): string =>
  text
    .split(/[\r\n\u2028\u2029]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
