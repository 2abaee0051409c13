import type { CallContext } from '../call.ts';
import {
  answerAgain,
  findResults,
  giveKeysBack,
  keepResults,
  type KeptResult,
  type KeyedCall,
  nameOfCall,
  takeKeys,
  toKeyedCall,
} from './idempotency.store.ts';
import { type CallOutcome, outcomeOf } from './outcome.ts';
import { type Database, transact, type Tx } from './transaction.ts';

/** A mutating call that shares its transaction with others. */
export interface GroupedCall<Params> {
  readonly call: Pick<CallContext, 'caller' | 'method' | 'session'>;
  readonly params: Params & { readonly idempotencyKey?: string | undefined };
}

/**
 * As `write`, for many calls of one project in one transaction: each has its own outcome and its own idempotency key. `work`
 * decides about each before it writes, so that a refusal changes nothing; the key of a refused call is free again. Where all
 * are refused the transaction is rolled back.
 */
export async function writeGroup<Params, T>(
  db: Database,
  projectId: string,
  calls: readonly GroupedCall<Params>[],
  work: (tx: Tx, calls: readonly GroupedCall<Params>[]) => Promise<CallOutcome<T>[]>,
): Promise<CallOutcome<T>[]> {
  const keyed = calls.map(({ call, params }) => toKeyedCall(call, params));
  const rollBack = new Error('Every call of the group was refused.');
  let refused: CallOutcome<T>[] = [];
  try {
    return await transact(db, projectId, async (tx) => {
      const turns = await takeTurns(tx, keyed);
      const fresh = calls.filter((_, index) => turns[index] === 'fresh');
      const outcomes = fresh.length === 0 ? [] : await work(tx, fresh);
      const answers = answerAll(keyed, turns, outcomes);
      if (answers.every((answer) => 'error' in answer)) {
        refused = answers;
        throw rollBack;
      }
      await settleKeys(
        tx,
        keyed.flatMap((call, index) => {
          const outcome = answers[index];
          return call !== undefined && outcome !== undefined && turns[index] === 'fresh' ? [{ call, outcome }] : [];
        }),
      );
      return answers;
    });
  } catch (error) {
    if (error === rollBack) return refused;
    throw error;
  }
}

/** What each call of a group is answered, in order; `outcomes` are those of the calls that had their effect now. */
function answerAll<T>(
  keyed: readonly (KeyedCall | undefined)[],
  turns: readonly Turn[],
  outcomes: readonly CallOutcome<T>[],
): CallOutcome<T>[] {
  const rest = outcomes.values();
  const own = turns.map((turn) => (turn === 'fresh' ? rest.next().value : undefined));
  return turns.map((turn, index) => {
    const outcome = own[turn !== 'fresh' && 'twin' in turn ? turn.twin : index];
    const call = keyed[index];
    if (turn !== 'fresh' && call !== undefined) {
      if ('kept' in turn) return outcomeOf(() => answerAgain<T>(call, turn.kept));
      if (outcome !== undefined) return answerAsTwin(call, keyed[turn.twin], outcome);
    }
    if (outcome === undefined) throw new Error('A call of a group has no outcome.');
    return outcome;
  });
}

/** A call has its effect now, or it is answered as an earlier one was: one that is kept, or one of the same group. */
type Turn = 'fresh' | { readonly kept: KeptResult | undefined } | { readonly twin: number };

async function takeTurns(tx: Tx, keyed: readonly (KeyedCall | undefined)[]): Promise<Turn[]> {
  const first = new Map<string, number>();
  for (const [index, call] of keyed.entries()) if (call !== undefined && !first.has(nameOfCall(call))) first.set(nameOfCall(call), index);
  if (first.size === 0) return keyed.map(() => 'fresh');
  const firsts = keyed.filter((call, index) => call !== undefined && first.get(nameOfCall(call)) === index) as KeyedCall[];
  const taken = await takeKeys(tx.em, firsts);
  const known = firsts.filter((call) => !taken.has(nameOfCall(call)));
  const kept = new Map((known.length === 0 ? [] : await findResults(tx.em, known)).map((row) => [nameOfCall(row), row]));
  return keyed.map((call, index): Turn => {
    if (call === undefined) return 'fresh';
    const name = nameOfCall(call);
    if (!taken.has(name)) return { kept: kept.get(name) };
    const twin = first.get(name) ?? index;
    return twin === index ? 'fresh' : { twin };
  });
}

/** The same call twice in one group: one effect and one answer, also where that is a refusal. */
const answerAsTwin = <T>(call: KeyedCall, twin: KeyedCall | undefined, outcome: CallOutcome<T>): CallOutcome<T> =>
  'error' in outcome && twin?.paramsHash === call.paramsHash
    ? outcome
    : outcomeOf(() => answerAgain<T>(call, twin && { ...twin, result: 'ok' in outcome ? outcome.ok : undefined }));

async function settleKeys<T>(tx: Tx, settled: readonly { readonly call: KeyedCall; readonly outcome: CallOutcome<T> }[]): Promise<void> {
  const kept = settled.flatMap(({ call, outcome }) => ('ok' in outcome ? [{ call, result: outcome.ok }] : []));
  if (kept.length > 0) await keepResults(tx.em, kept);
  const refused = settled.flatMap(({ call, outcome }) => ('error' in outcome ? [call] : []));
  if (refused.length > 0) await giveKeysBack(tx.em, refused);
}
