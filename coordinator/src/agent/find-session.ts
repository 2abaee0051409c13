import { CoordinatorError } from '@baton/protocol';
import type { CallContext, Session } from '../call.ts';
import { createGroupedRead } from '../db/grouped-read.ts';
import type { EntityManager } from '../db/orm.ts';
import type { LiveSessions } from './live-sessions.ts';
import { hashToken } from './session.service.ts';
import { belongsTo, findLeftSession, listSessionsByToken, type SessionByToken, type SessionKey, type SessionRow } from './session.store.ts';

export interface SessionQuery extends Pick<CallContext, 'caller' | 'peer'> {
  readonly method: string;
  /** The resume token of a caller without a connection. */
  readonly sessionToken?: string | undefined;
}

/**
 * Finds the session of a call: the one its connection registered, or the one its resume token names. Every call of a session
 * is a beat. Who says goodbye once more is known still, and nobody else is.
 */
export function createFindSession(em: EntityManager, live: LiveSessions): (query: SessionQuery) => Promise<Session | undefined> {
  const findByHash = createGroupedRead<string, SessionByToken | undefined>(async (hashes) => {
    const rows = new Map((await listSessionsByToken(em.fork(), hashes)).map((row) => [row.resumeHash, row]));
    return hashes.map((hash) => rows.get(hash));
  });

  const findByToken = async (key: SessionKey, token: string): Promise<Session | undefined> => {
    const row = await findByHash(hashToken(token));
    return belongsTo(row, key) ? toSession(row) : undefined;
  };
  const findLeft = async ({ method, peer, sessionToken, caller }: SessionQuery): Promise<Session | undefined> => {
    if (method !== 'agent/deregister') return undefined;
    if (peer !== undefined) return live.findLeftByPeer(peer.id);
    const row = sessionToken === undefined ? undefined : await findLeftSession(em.fork(), caller, hashToken(sessionToken));
    return row && toSession(row);
  };

  return async (query) => {
    const { peer, sessionToken, caller } = query;
    const session =
      peer !== undefined ? live.findByPeer(peer.id) : sessionToken === undefined ? undefined : await findByToken(caller, sessionToken);
    if (session !== undefined) {
      live.touch(session.sessionId);
      return session;
    }
    const left = await findLeft(query);
    if (left === undefined && sessionToken !== undefined) throw new CoordinatorError('session_unknown');
    return left;
  };
}

const toSession = ({ id, agentId, agentName, epoch }: SessionRow): Session => ({ sessionId: id, agentId, agentName, epoch });
