import { sql } from 'kysely';
import type { EntityManager } from '../db/orm.ts';
import { findRow, rowsOf } from '../db/rows.ts';
import type { Tx } from '../db/transaction.ts';

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

/** The texts of those that are kept, by their digests. */
export async function findSummaries(em: EntityManager, digests: readonly string[]): Promise<Map<string, string>> {
  if (digests.length === 0) return new Map();
  const rows = await rowsOf(
    em,
    sql<Pick<KeptSummary, 'digest' | 'text'>>`select digest, text from context_summaries where digest = any(${digests}::text[])`,
  );
  return new Map(rows.map(({ digest, text }) => [digest, text]));
}

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
export async function keepSummary(tx: Tx, { digest, ticketId, phase, summarizer, text, citations }: KeptSummary): Promise<void> {
  const kept = await findRow(
    tx.em,
    sql`with forgotten as (
          delete from context_summaries where digest in (
            select digest from context_summaries where ticket_id = ${ticketId} and phase = ${phase} and digest <> ${digest}
            order by created_at desc, digest offset ${keptPerPhase - 1})
        )
        insert into context_summaries (digest, ticket_id, phase, summarizer, text, citations)
        values (${digest}, ${ticketId}, ${phase}, ${summarizer}, ${text}, ${JSON.stringify(citations)}::jsonb) on conflict do nothing returning digest`,
  );
  if (kept !== undefined) tx.record('context.summarized', { ticketId, phase, by: summarizer, digest });
}
