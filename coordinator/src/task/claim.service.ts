import { type Claim, CoordinatorError, type JsonObject, type JsonValue } from '@baton/protocol';
import { type ContextTexts, createContextTexts, type PackParts } from '../context/pack.service.ts';
import type { EntityManager } from '../db/orm.ts';
import { type Database, transact } from '../db/transaction.ts';
import { findNewestResult } from '../gate/gate.store.ts';
import { getVisit } from '../phase/phase-visit.store.ts';
import { ticketFacts } from '../ticket/ticket-facts.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import type { BackoffLimits } from './backoff.ts';
import { failTasks } from './complete.service.ts';
import type { ClaimedTask } from './hand-out.ts';
import { listReferences, parseReference, type Reference, resolveReferences, valueAt } from './references.ts';
import { findTaskResult } from './result.store.ts';

export interface ClaimParts {
  readonly db: Database;
  readonly limits: BackoffLimits;
  readonly packs: PackParts;
}

/**
 * Fills in what the inputs of claimed tasks refer to. A task whose reference leads to nothing has failed for good: nobody
 * could do it, and trying again would find the same.
 */
export async function prepareClaims(
  parts: ClaimParts,
  em: EntityManager,
  projectId: string,
  tasks: readonly ClaimedTask[],
): Promise<Claim[]> {
  const claims: Claim[] = [];
  const contexts = createContextTexts(parts.packs, em);
  for (const task of tasks) {
    const input = await resolveInput({ contexts, em, projectId, task });
    if (input instanceof CoordinatorError) await refuse(parts, projectId, task, input);
    else claims.push(toClaim(task, input));
  }
  return claims;
}

/** The claims of tasks that run. What their inputs refer to is told as it is now; where it has been taken away, it stands unresolved. */
export function tellClaims(packs: PackParts, em: EntityManager, projectId: string, tasks: readonly ClaimedTask[]): Promise<Claim[]> {
  const contexts = createContextTexts(packs, em);
  return Promise.all(
    tasks.map(async (task) => {
      const input = await resolveInput({ contexts, em, projectId, task });
      return toClaim(task, input instanceof CoordinatorError ? task.input : input);
    }),
  );
}

const toClaim = (
  { id, attempt, ticketId, phase, visitNumber, ref, type, title, grantedLocks, timeoutMs }: ClaimedTask,
  input: JsonObject,
): Claim => ({
  taskId: id,
  attempt,
  ticketId,
  phase,
  type,
  title,
  input,
  timeoutMs,
  visit: visitNumber,
  locks: [...grantedLocks],
  ...(ref !== null && { ref }),
});

interface Place {
  readonly contexts: ContextTexts;
  readonly em: EntityManager;
  readonly projectId: string;
  readonly task: ClaimedTask;
}

async function resolveInput(place: Place): Promise<JsonObject | CoordinatorError> {
  const { input } = place.task;
  const texts = [...new Set(listReferences(input))];
  if (texts.length === 0) return input;
  const values = new Map<string, JsonValue | undefined>();
  for (const text of texts) {
    const reference = parseReference(text);
    if (reference !== undefined) values.set(JSON.stringify(reference), await lookUp(place, reference));
  }
  try {
    return resolveReferences(input, (reference) => values.get(JSON.stringify(reference)));
  } catch (error) {
    if (error instanceof CoordinatorError) return error;
    throw error;
  }
}

async function lookUp({ contexts, em, projectId, task }: Place, reference: Reference): Promise<JsonValue | undefined> {
  switch (reference.kind) {
    case 'task': {
      const { phase, ref, field, path } = reference;
      const result = await findTaskResult(em, {
        ticketId: task.ticketId,
        ref,
        ...(phase === undefined ? { visitId: task.visitId } : { phase }),
      });
      return field === 'summary' ? (result?.summary ?? undefined) : valueAt(result?.output ?? undefined, path);
    }
    case 'ticket':
    case 'visit':
      return ticketFacts(await getTicket(em, projectId, task.ticketId), await getVisit(em, task.visitId))(reference);
    case 'gate': {
      const result = await findNewestResult(em, task.ticketId);
      return result === undefined ? undefined : valueAt(result as unknown as JsonObject, reference.path);
    }
    case 'context':
      return contexts({ ticketId: task.ticketId, forPhase: task.phase });
    default:
      return reference satisfies never;
  }
}

async function refuse(
  { db, limits }: Pick<ClaimParts, 'db' | 'limits'>,
  projectId: string,
  { id, attempt, sessionId }: ClaimedTask,
  { message, data }: CoordinatorError,
): Promise<void> {
  const error = { code: 'input_unresolved', message, details: { reference: String(data['reference']) } };
  await transact(db, projectId, (tx) =>
    failTasks(tx, { limits }, [
      { taskId: id, attempt, sessionId: sessionId ?? '', outcome: 'failed', error, permanent: true, context: [] },
    ]),
  );
}
