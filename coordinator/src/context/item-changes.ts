import { CoordinatorError } from '@baton/protocol';
import type { EntityManager } from '../db/orm.ts';
import type { Withdrawal } from './pack-rules.ts';
import { toNumber } from './citation.ts';
import { countVisitsBegun, findNotedSeq, findNotedUntil, type ItemEvent, listItemEvents } from './pack.store.ts';

export interface ItemChanges {
  /** The citations of what came or was pinned. */
  readonly came: ReadonlySet<string>;
  /** What has a higher number came, too. */
  readonly cameAfter: number;
  /** What a reader may know and no longer holds, with what holds in its place; the newest first. */
  readonly withdrawn: readonly Withdrawal[];
  /** How many visits of phases the ticket has begun. */
  readonly visitsBegun: number;
}

/**
 * What has happened to a ticket and its items after an event or the noting of an item. After an item that is all that has a higher
 * number and all that later events tell of: what was noted with it, before or after it, may be among that again, and nothing is lost.
 * @throws CoordinatorError `context_item_not_found`
 */
export async function findItemChanges(em: EntityManager, ticketId: string, since: number | string): Promise<ItemChanges> {
  const after = typeof since === 'number' ? since : await findNotedSeq(em, ticketId, since);
  if (after === undefined)
    throw new CoordinatorError('context_item_not_found', { ticketId, citation: since, message: `There is no ${since}.` });
  const { noted, pinned, superseded } = sortEvents(await listItemEvents(em, ticketId, after));
  // What is said again is noted again: whether the reader can know it tells what was noted before.
  const doubtful = [...superseded.keys()].filter((citation) => noted.has(citation));
  const known = await findNotedUntil(em, { ticketId, until: after }, doubtful);
  const withdrawn = [...superseded.keys()]
    .filter((citation) => !noted.has(citation) || known.has(citation))
    .map((citation) => ({ citation, by: findHolding(superseded, citation) }));
  return {
    came: new Set([...noted, ...pinned]),
    // One event tells of many items, and not in the order of their numbers: what is told of in it or before may be newer than this one.
    cameAfter: typeof since === 'number' ? Infinity : toNumber(since),
    withdrawn: withdrawn.toReversed(),
    visitsBegun: await countVisitsBegun(em, ticketId, after),
  };
}

function sortEvents(events: readonly ItemEvent[]) {
  const noted = new Set<string>();
  const pinned = new Set<string>();
  const superseded = new Map<string, string | undefined>();
  for (const { name, citations, by, pinned: isPinned } of events)
    for (const citation of citations) {
      if (name === 'context.superseded') superseded.set(citation, by);
      else if (name !== 'context.pinned') noted.add(citation);
      else if (isPinned) pinned.add(citation);
    }
  return { noted, pinned, superseded };
}

/** What holds in the end. Only what holds takes the place of something, so that there is no circle. */
function findHolding(superseded: ReadonlyMap<string, string | undefined>, citation: string): string | undefined {
  let by = superseded.get(citation);
  while (by !== undefined && superseded.has(by)) by = superseded.get(by);
  return by;
}
