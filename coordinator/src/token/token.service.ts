import { CoordinatorError, type Role, type Token } from '@baton/protocol';
import type { CallContext, Caller } from '../call.ts';
import type { EntityManager } from '../db/orm.ts';
import { type Database, transact, type Tx, write } from '../db/transaction.ts';
import { looksAfterAll } from '../project/project.service.ts';
import { findProjectByName } from '../project/project.store.ts';
import { findTokenByKey, insertToken, markRevoked, replaceSecret, type TokenKey } from './token.store.ts';

export interface FreshToken {
  readonly id: string;
  /** As its owner will send it. */
  readonly token: string;
  readonly secretHash: string;
}

export interface TokenParts {
  readonly db: Database;
  /** A new secret, for a new token or for the one with this id. */
  readonly createToken: (id?: string) => FreshToken;
}

export interface TokenRequest {
  readonly name: string;
  readonly role: Role;
  readonly project?: string | undefined;
  readonly expiresInMs?: number | undefined;
  readonly idempotencyKey?: string | undefined;
}

/**
 * The project that a call is about: the caller's own unless another is named.
 * @throws CoordinatorError `project_not_found` also where the project is there and not for this caller to know of
 */
export async function findNamedProject(em: EntityManager, caller: Caller, name: string | undefined): Promise<string> {
  if (name === undefined || name === caller.projectName) return caller.projectId;
  const project = looksAfterAll(caller) ? await findProjectByName(em, name) : null;
  if (project === null) throw new CoordinatorError('project_not_found', { project: name });
  return project.id;
}

/** Makes a token. The idempotency key is kept with what may be kept: without the token itself. */
export async function issueToken(
  { db, createToken }: TokenParts,
  call: CallContext,
  params: TokenRequest,
): Promise<Token & { token: string }> {
  // Of the last try: a transaction that is run again makes another.
  let fresh: FreshToken | undefined;
  const made = await write(db, call, params, async (tx) => {
    fresh = createToken();
    const { id, secretHash } = fresh;
    const projectId = await findNamedProject(tx.em, call.caller, params.project);
    await insertToken(tx.em, { id, secretHash, projectId, name: params.name, role: params.role, expiresInMs: params.expiresInMs });
    const made = await getToken(tx.em, { id, projectId });
    record(tx, 'token.created', made, call.caller);
    return made;
  });
  if (fresh?.id === made.id) return { ...made, token: fresh.token };

  // The first answer was lost, and its secret with it.
  const { token, secretHash } = createToken(made.id);
  const replaced = await transact(db, call.caller.projectId, ({ em }) => replaceSecret(em, made.id, secretHash));
  if (!replaced) throw new CoordinatorError('token_not_found', { tokenId: made.id });
  return { ...made, token };
}

/** Revokes a token. Again is no error. */
export async function revokeToken(tx: Tx, caller: Caller, tokenId: string): Promise<Token> {
  const key: TokenKey = { id: tokenId.toLowerCase(), projectId: looksAfterAll(caller) ? undefined : caller.projectId };
  const isNews = await markRevoked(tx.em, key);
  const token = await getToken(tx.em, key);
  if (isNews) record(tx, 'token.revoked', token, caller);
  return token;
}

async function getToken(em: EntityManager, key: TokenKey): Promise<Token> {
  const token = await findTokenByKey(em, key);
  if (token === undefined) throw new CoordinatorError('token_not_found', { tokenId: key.id });
  return token;
}

const record = (tx: Tx, event: 'token.created' | 'token.revoked', { id, name, role, project }: Token, by: Caller): void =>
  tx.record(event, { tokenId: id, name, role, project, by: by.name });
