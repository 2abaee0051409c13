import type { HandlersOf } from '../call.ts';
import { write } from '../db/transaction.ts';
import { findNamedProject, issueToken, revokeToken, type TokenParts } from './token.service.ts';
import { listTokens } from './token.store.ts';

export const tokenHandlers = (parts: TokenParts): HandlersOf<'token'> => ({
  'token/create': (params, call) => issueToken(parts, call, params),
  'token/list': async ({ project, ...query }, { em, caller }) =>
    listTokens(em, { ...query, projectId: await findNamedProject(em, caller, project) }),
  'token/revoke': (params, call) => write(parts.db, call, params, (tx) => revokeToken(tx, call.caller, params.tokenId)),
});
