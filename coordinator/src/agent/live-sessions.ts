import type { NotificationName, NotificationParams, RevocationReason, SessionEndReason } from '@baton/protocol';
import type { Peer, Session } from '../call.ts';
import type { Sessions } from '../task/attempt-end.service.ts';

/**
 * The sessions whose connections this coordinator owns. Who has been heard of is kept here and written in batches; what a
 * session must hear at once is sent from here. A hint to the living, never a fact: the rows decide.
 */
export interface LiveSessions extends Sessions {
  /** How many there are. */
  readonly count: number;
  attach(session: Session, peer: Peer): void;
  findByPeer(peerId: string): Session | undefined;
  /** How long ago the session was heard of, in ms, where it was heard of here. */
  silenceMs(sessionId: string): number | undefined;
  /** Counts as a beat. */
  touch(sessionId: string): void;
  /** Those heard of since the last call. */
  takeTouched(): string[];
  /** Puts back what could not be written. */
  touchAll(sessionIds: readonly string[]): void;
  notify<N extends NotificationName>(sessionId: string, name: N, params: NotificationParams<N>): void;
  /** Tells a session that it has ended, and forgets it. */
  end(sessionId: string, reason: SessionEndReason): void;
}

export function createLiveSessions(): LiveSessions {
  const bySession = new Map<string, { readonly session: Session; readonly peer: Peer }>();
  const byPeer = new Map<string, Session>();
  const touched = new Set<string>();
  const heardAt = new Map<string, number>();
  const touch = (sessionId: string) => {
    touched.add(sessionId);
    heardAt.set(sessionId, performance.now());
  };

  const forget = ({ sessionId }: Session, peer: Peer) => {
    if (bySession.get(sessionId)?.peer === peer) bySession.delete(sessionId);
    if (byPeer.get(peer.id)?.sessionId === sessionId) byPeer.delete(peer.id);
  };

  const live: LiveSessions = {
    get count() {
      return bySession.size;
    },
    attach(session, peer) {
      const before = bySession.get(session.sessionId);
      if (before !== undefined) byPeer.delete(before.peer.id);
      bySession.set(session.sessionId, { session, peer });
      byPeer.set(peer.id, session);
      touch(session.sessionId);
      peer.onClose(() => forget(session, peer));
    },
    findByPeer: (peerId) => byPeer.get(peerId),
    silenceMs(sessionId) {
      const at = heardAt.get(sessionId);
      return at === undefined ? undefined : performance.now() - at;
    },
    touch,
    takeTouched() {
      const ids = [...touched];
      touched.clear();
      return ids;
    },
    touchAll(sessionIds) {
      for (const id of sessionIds) touched.add(id);
    },
    notify: (sessionId, name, params) => bySession.get(sessionId)?.peer.notify(name, params),
    revoke: (sessionId, attempt: { taskId: string; attempt: number; reason: RevocationReason }) =>
      live.notify(sessionId, 'task/revoked', attempt),
    end(sessionId, reason) {
      live.notify(sessionId, 'agent/sessionEnded', { sessionId, reason });
      const known = bySession.get(sessionId);
      if (known !== undefined) forget(known.session, known.peer);
      touched.delete(sessionId);
      heardAt.delete(sessionId);
    },
  };
  return live;
}
