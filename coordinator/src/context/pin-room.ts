import { type ContextItem, CoordinatorError } from '@baton/protocol';
import { countTokens } from '@baton/sdk/plugin/host';
import type { EntityManager } from '../db/orm.ts';
import { writeLine } from './pack-sections.ts';
import { pinnedTokensMax } from './pin-limit.ts';
import { listPinned } from './standing.store.ts';

/** A statement that is pinned, or is to be. */
type Pinned = Pick<ContextItem, 'ticketId' | 'kind' | 'source' | 'text' | 'phase'>;

export interface PinRoom {
  /** Takes room for a pin, unless the statement has one already. Returns whether there was enough. */
  take(statement: Pinned): boolean;
}

/** The room that the pins of tickets leave. The caller holds the tickets or visits. */
export async function openPinRoom(em: EntityManager, ticketIds: readonly string[]): Promise<PinRoom> {
  const taken = new Map<string, number>();
  const known = new Set<string>();
  const take = (statement: Pinned): number => {
    const { ticketId } = statement;
    known.add(keyOf(statement));
    const tokens = (taken.get(ticketId) ?? 0) + countPinned(statement);
    taken.set(ticketId, tokens);
    return tokens;
  };
  for (const statement of await listPinned(em, ticketIds)) take(statement);
  return {
    take(statement) {
      if (known.has(keyOf(statement))) return true;
      const isFitting = (taken.get(statement.ticketId) ?? 0) + countPinned(statement) <= pinnedTokensMax;
      if (isFitting) take(statement);
      return isFitting;
    },
  };
}

const keyOf = ({ ticketId, kind, source, text }: Pinned): string => `${ticketId} ${kind} ${source} ${text}`;

/** By estimate, whatever counts the tokens of packs: where something may be pinned does not hang on that. */
const countPinned = ({ text, phase }: Pinned): number => countTokens(writeLine({ citation: 'c:10000', text, phase }));

export const pinsFull = (what: string, field: string): CoordinatorError =>
  new CoordinatorError('limit_exceeded', {
    field,
    limit: pinnedTokensMax,
    message: `${what} has no room: the pins of a ticket have ${pinnedTokensMax} tokens together. Let one go by context/pin with pinned: false, supersede one by something shorter, or leave this one unpinned.`,
  });
