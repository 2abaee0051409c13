import { createHash } from 'node:crypto';
import { CoordinatorError } from '@baton/protocol';
import canonicalize from 'canonicalize';
import { sql } from 'kysely';
import type { CallContext } from '../call.ts';
import type { EntityManager } from './orm.ts';
import { rowsOf } from './rows.ts';

/** A call that is to have its effect once. */
export interface KeyedCall {
  readonly projectId: string;
  readonly tokenId: string;
  readonly key: string;
  readonly method: string;
  readonly paramsHash: string;
}

/** The call as its idempotency key keeps it; undefined where it has none. */
export function toKeyedCall(
  { caller, method }: Pick<CallContext, 'caller' | 'method'>,
  params: { readonly idempotencyKey?: string | undefined },
): KeyedCall | undefined {
  const { idempotencyKey: key, ...rest } = params;
  if (key === undefined) return undefined;
  // In the canonical form: a caller that sends its parameters again may order their keys otherwise.
  const paramsHash = createHash('sha256')
    .update(canonicalize(rest) ?? '')
    .digest('hex');
  return { projectId: caller.projectId, tokenId: caller.tokenId, key, method, paramsHash };
}

/** Tells keyed calls of one project apart. */
export const nameOfCall = ({ tokenId, key }: Pick<KeyedCall, 'tokenId' | 'key'>): string => `${tokenId} ${key}`;

/**
 * Takes the keys of calls, each once, until the transaction ends: whoever comes with the same key waits for it. Returns the
 * names of those that nobody had taken.
 */
export async function takeKeys(em: EntityManager, calls: readonly KeyedCall[]): Promise<Set<string>> {
  const taken = await rowsOf(
    em,
    sql<{ tokenId: string; key: string }>`insert into idempotency_keys (project_id, token_id, key, method, params_hash)
        select x."projectId", x."tokenId", x.key, x.method, x."paramsHash"
        from jsonb_to_recordset(${JSON.stringify(calls)}::jsonb) as x("projectId" uuid, "tokenId" text, key text, method text, "paramsHash" text)
        order by x."projectId", x."tokenId", x.key on conflict do nothing returning token_id, key`,
  );
  return new Set(taken.map(nameOfCall));
}

export interface KeptResult {
  readonly tokenId: string;
  readonly key: string;
  readonly method: string;
  readonly paramsHash: string;
  readonly result: unknown;
}

/** What calls with these keys were answered. */
export const findResults = (em: EntityManager, calls: readonly KeyedCall[]): Promise<KeptResult[]> =>
  rowsOf(
    em,
    sql<KeptResult>`select k.token_id, k.key, k.method, k.params_hash, k.result from idempotency_keys k
        join jsonb_to_recordset(${JSON.stringify(calls)}::jsonb) as x("projectId" uuid, "tokenId" text, key text)
          on k.project_id = x."projectId" and k.token_id = x."tokenId" and k.key = x.key`,
  );

/** Keeps what calls are answered, with their keys. */
export const keepResults = (
  em: EntityManager,
  kept: readonly { readonly call: KeyedCall; readonly result: unknown }[],
): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`update idempotency_keys k set result = x.result
        from jsonb_to_recordset(${JSON.stringify(kept.map(({ call, result }) => ({ ...call, result })))}::jsonb) as x("projectId" uuid, "tokenId" text, key text, result jsonb)
        where k.project_id = x."projectId" and k.token_id = x."tokenId" and k.key = x.key`,
  );

/** Gives back the keys of calls that were refused: they have had no effect. */
export const giveKeysBack = (em: EntityManager, calls: readonly KeyedCall[]): Promise<unknown[]> =>
  rowsOf(
    em,
    sql`delete from idempotency_keys k using jsonb_to_recordset(${JSON.stringify(calls)}::jsonb) as x("projectId" uuid, "tokenId" text, key text)
        where k.project_id = x."projectId" and k.token_id = x."tokenId" and k.key = x.key`,
  );

/**
 * The answer that a call with this key was given before.
 * @throws CoordinatorError `idempotency_conflict` where it was another call
 */
export function answerAgain<T>(
  { key, method, paramsHash }: KeyedCall,
  kept: Pick<KeptResult, 'method' | 'paramsHash' | 'result'> | undefined,
): T {
  if (kept === undefined || kept.method !== method || kept.paramsHash !== paramsHash)
    throw new CoordinatorError('idempotency_conflict', { idempotencyKey: key, method, ...(kept && { usedWith: kept.method }) });
  return kept.result as T;
}

/**
 * What a call was answered that came before with the same key; undefined where it has none, or has had no effect yet.
 * @throws CoordinatorError `idempotency_conflict` where it was another call
 */
export async function findAnswer<T>(
  em: EntityManager,
  call: Pick<CallContext, 'caller' | 'method'>,
  params: { readonly idempotencyKey?: string | undefined },
): Promise<T | undefined> {
  const keyed = toKeyedCall(call, params);
  const [kept] = keyed === undefined ? [] : await findResults(em, [keyed]);
  return keyed === undefined || kept === undefined ? undefined : answerAgain<T>(keyed, kept);
}
