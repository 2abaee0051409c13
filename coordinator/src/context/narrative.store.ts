import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf } from '../db/rows.ts';

/** What a summarizer wrote of a phase. */
export interface KeptSummary {
  /** Of all that it was made from. */
  readonly digest: string;
  readonly ticketId: string;
  readonly phase: string;
  /** The summarizer, with the version of its plugin. */
  readonly summarizer: string;
  readonly text: string;
  readonly citations: string[];
}

const columns = sql`digest, ticket_id, phase, summarizer, text, citations`;

export const findSummary = (em: EntityManager, digest: string): Promise<KeptSummary | undefined> =>
  findRow(em, sql<KeptSummary>`select ${columns} from context_summaries where digest = ${digest}`);

export const findNewestSummary = (
  em: EntityManager,
  { ticketId, phase }: Pick<KeptSummary, 'ticketId' | 'phase'>,
): Promise<KeptSummary | undefined> =>
  findRow(
    em,
    sql<KeptSummary>`select ${columns} from context_summaries where ticket_id = ${ticketId} and phase = ${phase} order by created_at desc, digest limit 1`,
  );

/** Of one phase, the newest; older ones are of items that have changed since. */
const keptPerPhase = 10;

/** Keeps a summary, and forgets the oldest of the phase. Of two that were made from the same the first stays. */
export const keepSummary = (em: EntityManager, { digest, ticketId, phase, summarizer, text, citations }: KeptSummary): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`with kept as (
          insert into context_summaries (digest, ticket_id, phase, summarizer, text, citations)
          values (${digest}, ${ticketId}, ${phase}, ${summarizer}, ${text}, ${JSON.stringify(citations)}::jsonb) on conflict do nothing
        )
        delete from context_summaries where digest in (
          select digest from context_summaries where ticket_id = ${ticketId} and phase = ${phase}
          order by created_at desc, digest offset ${keptPerPhase - 1})`,
  );
