import { type ContextItem, CoordinatorError } from '@baton/protocol';
import { createCitationReader } from '@baton/sdk/plugin';
import type { PackCounter } from './pack-counter.ts';
import { findCutLines, makeWhole } from './cut-lines.ts';
import { cutToFit } from './cut-to-fit.ts';
import { countFitting, countTogether, createRoom, type Line, type Room } from './pack-room.ts';
import { pinnedTokensMax } from './pin-limit.ts';
import { headingOf, narrativeHeading, noticeHeading, oneLine, writeLine, writeSections } from './pack-sections.ts';
import { type Entry, isKept, takeTurns } from './take-turns.ts';

export interface Withdrawal {
  readonly citation: string;
  /** What holds in its place. */
  readonly by?: string | undefined;
}

export interface PackParts {
  /** In the order in which they are given room: the pinned ones first. */
  readonly ranked: readonly ContextItem[];
  /** The phases, in the order of the workflow. */
  readonly phases: readonly string[];
  /** What no longer holds, for a reader who may know it; the newest first. Comes before all but what is pinned. */
  readonly withdrawn?: readonly Withdrawal[];
  /** What is said of phases in short, the nearest phase first: for what finds no room. */
  readonly narratives?: readonly string[];
}

export interface PackText {
  readonly text: string;
  readonly tokens: number;
  /** Those that the text has. */
  readonly chosen: readonly ContextItem[];
  readonly omitted: { citation: string; tokens: number }[];
  /** Those of the chosen that the text has not all of, and how many more tokens all of each would take. */
  readonly cut: { citation: string; tokens: number }[];
}

/** Below this many tokens all room goes to items, and no narrative is asked for. */
export const narrativeFrom = 2_000;
/** The share of a larger budget that is kept for narratives where items are left out. */
const narrativeShare = 0.2;

/**
 * Writes a pack within a budget: what is pinned, what no longer holds, then the items in their turn as far as they fit, the
 * last of them cut where it must not be forgotten, then what the narratives say of the rest. Where every item has room, what is left goes to
 * reasons that are longer than a line shows. The text has its sections in a fixed order and is the same for the same items. A larger budget
 * tells whatever a smaller one did: of items and of narratives both take from the beginning of one and the same order, and neither takes
 * the room of the other.
 * @throws CoordinatorError `limit_exceeded` where the pinned items alone do not fit
 */
export function writePack(
  { ranked: all, phases, withdrawn = [], narratives = [] }: PackParts,
  budgetTokens: number,
  counter: PackCounter,
): PackText {
  const { count, countLine } = counter;
  const ranked = shortenPinned(all, countLine);
  const entries = ranked.map((item): Entry => ({ item, tokens: countLine(item) }));
  const pinned = entries.filter(({ item }) => item.pinned);
  const room = createRoom(count);
  for (const { item, tokens } of pinned) room.take(headingOf(item), tokens);
  if (room.spent() > budgetTokens)
    throw new CoordinatorError('limit_exceeded', {
      message: `The pinned items need ${room.spent()} tokens, and the budget is ${budgetTokens}; ask for a larger one.`,
      neededTokens: room.spent(),
    });
  const notices = toNotices(withdrawn).map((text): Line => ({ heading: noticeHeading, text, tokens: count(text) }));
  const spentFirst = notices.reduce((sum, { tokens }) => sum + tokens, room.spent());
  const rest = takeTurns(
    entries.filter(({ item }) => !item.pinned),
    spentFirst,
  );
  const lines = [...notices, ...rest.map(({ item, tokens }): Line => ({ heading: headingOf(item), tokens }))];

  const sayings = readSayings(narratives, ranked, count);
  const kept = roomForItems(budgetTokens, countTogether(sayings, count));
  const isAll = countFitting(lines, room, budgetTokens) === lines.length;
  const given = isAll ? lines : lines.slice(0, countFitting(lines, room, kept));
  for (const { heading, tokens } of given) room.take(heading, tokens);
  const taken = rest.slice(0, Math.max(0, given.length - notices.length));
  const shown = [...pinned, ...taken].map(({ item }) => item);
  // As much as fits of the one that must not be forgotten and has too little room.
  const next = given.length < notices.length ? undefined : rest[taken.length]?.item;
  const cut = next && isKept(next) ? cutToFit(next, { room, budgetTokens: kept, count }) : undefined;
  if (cut !== undefined) {
    room.take(headingOf(cut), count(writeLine(cut)));
    shown.push(cut);
  }
  const omitted = rest.slice(shown.length - pinned.length).map(({ item, tokens }) => ({ citation: item.citation, tokens }));
  const inShort = chooseSayings(sayings, omitted, { room: createRoom(count), budgetTokens: budgetTokens - Math.max(kept, room.spent()) });

  // What stands otherwise in the text than it is.
  const wholes = new Map([...all.filter(({ pinned }) => pinned), ...(next ? [next] : [])].map((item) => [item.citation, item]));
  const cutLines = findCutLines(shown, wholes, counter);
  const madeWhole = cutLines.slice(0, isAll ? countFitting(cutLines, room, budgetTokens) : 0);
  const text = writeSections({ notices: given.flatMap(({ text }) => text ?? []), ...makeWhole(shown, madeWhole), phases, inShort });
  return {
    text,
    tokens: count(text),
    chosen: shown.map((item) => wholes.get(item.citation) ?? item),
    omitted,
    cut: cutLines.slice(madeWhole.length).map(({ whole, tokens }) => ({ citation: whole.citation, tokens })),
  };
}

/** The first of the lines that speak of what is left out, as far as they fit. */
function chooseSayings(
  sayings: readonly Saying[],
  omitted: PackText['omitted'],
  { room, budgetTokens }: { readonly room: Room; readonly budgetTokens: number },
): string[] {
  const left = new Set(omitted.map(({ citation }) => citation));
  const needed = sayings.filter(({ citations }) => citations.some((citation) => left.has(citation)));
  return needed.slice(0, countFitting(needed, room, budgetTokens)).map(({ text }) => text);
}

/**
 * Where what is pinned has more than its share of room with the reasons for it, it stands without them, and a mark says so: its texts have
 * been measured when they were pinned, and reasons are added later. Whatever the budget, so that a larger one drops nothing.
 */
function shortenPinned(ranked: readonly ContextItem[], countLine: PackCounter['countLine']): readonly ContextItem[] {
  const tokens = ranked.reduce((sum, item) => sum + (item.pinned ? countLine(item) : 0), 0);
  if (tokens <= pinnedTokensMax) return ranked;
  return ranked.map((item) => (item.pinned && oneLine(item.rationale ?? '') !== '' ? { ...item, rationale: '…' } : item));
}

/** As many withdrawals are told one by one. */
const noticesMax = 20;

function toNotices(withdrawn: readonly Withdrawal[]): string[] {
  const told = withdrawn
    .slice(0, noticesMax)
    .map(({ citation, by }) => `- [${citation}] no longer holds${by === undefined ? '' : `: see [${by}]`}\n`);
  const [next] = withdrawn.slice(noticesMax);
  // First of them: where there is little room, that there are more is what must be known.
  return next === undefined ? told : [`- ${withdrawn.length - noticesMax} more no longer hold, such as [${next.citation}]\n`, ...told];
}

/** Never less for a larger budget. */
const roomForItems = (budgetTokens: number, narrativeTokens: number): number =>
  budgetTokens < narrativeFrom
    ? budgetTokens
    : Math.max(narrativeFrom, Math.floor(budgetTokens - Math.min(budgetTokens * narrativeShare, narrativeTokens)));

interface Saying extends Line {
  readonly text: string;
  readonly citations: readonly string[];
}

/** The lines of narratives that cite items, and only such as hold: a line speaks for all that it cites. */
function readSayings(narratives: readonly string[], items: readonly ContextItem[], count: PackCounter['count']): Saying[] {
  const lines = narratives.flatMap((narrative) => narrative.split('\n'));
  if (lines.length === 0) return [];
  const known = new Set(items.map(({ citation }) => citation));
  const citationsIn = createCitationReader(items);
  return lines
    .map((line) => ({ text: `- ${oneLine(line.replace(/^- /, ''))}\n`, citations: citationsIn(line) }))
    .filter(({ citations }) => citations.length > 0 && citations.every((citation) => known.has(citation)))
    .map((saying) => ({ ...saying, heading: narrativeHeading, tokens: count(saying.text) }));
}
