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
  /** What the connection registered, even if it has been taken away: then the rows refuse what it does. */
  findByPeer(peerId: string): Session | undefined;
  /** The session that has said goodbye on this connection, where no other has begun on it. */
  findLeftByPeer(peerId: string): Session | undefined;
  /** How long ago the session was heard of, in ms, where it was heard of here. */
  silenceMs(sessionId: string): number | undefined;
  /** Counts as a beat. With the event-loop lag where the agent tells it. */
  touch(sessionId: string, eventLoopLagMs?: number): void;
  /** The sessions whose connections are here. */
  list(): readonly Session[];
  /** All that have been heard of here and not been forgotten, whether they keep a connection or not. */
  listHeard(): string[];
  /** How many these are. */
  readonly heardCount: number;
  /** Forgets when those were heard of that have been silent for so long and have no connection here. */
  forgetSilent(silenceMs: number): void;
  /** Those heard of since the last call. */
  takeTouched(): Touch[];
  /** Puts back what could not be written. */
  touchAll(touches: readonly Touch[]): void;
  /** Tells a session whose connection is here; of the same thing once, whatever the reason that is given. */
  notify<N extends NotificationName>(sessionId: string, name: N, params: NotificationParams<N>): void;
  /** Tells a session that it has ended, and counts it no more. */
  end(sessionId: string, reason: SessionEndReason): void;
}

/** Somebody was heard of. */
export interface Touch {
  readonly sessionId: string;
  /** As the agent last told it, where it did. */
  readonly eventLoopLagMs?: number | undefined;
}

interface Connected {
  readonly session: Session;
  readonly peer: Peer;
  /** What it was told of late: who acts tells it at once, and so does who follows the events. */
  readonly told: Set<string>;
}

const toldMax = 1_000;

/** True the first time. Remembers the latest only. */
function isNews(told: Set<string>, notice: string): boolean {
  if (told.has(notice)) return false;
  told.add(notice);
  const [oldest] = told;
  if (told.size > toldMax && oldest !== undefined) told.delete(oldest);
  return true;
}

export function createLiveSessions(): LiveSessions {
  const bySession = new Map<string, Connected>();
  const byPeer = new Map<string, Session>();
  const leftByPeer = new Map<string, Session>();
  const touched = new Map<string, number | undefined>();
  const heardAt = new Map<string, number>();
  const touch = (sessionId: string, eventLoopLagMs?: number) => {
    touched.set(sessionId, eventLoopLagMs ?? touched.get(sessionId));
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
      bySession.set(session.sessionId, { session, peer, told: new Set() });
      byPeer.set(peer.id, session);
      leftByPeer.delete(peer.id);
      touch(session.sessionId);
      peer.onClose(() => {
        forget(session, peer);
        leftByPeer.delete(peer.id);
      });
    },
    findByPeer: (peerId) => byPeer.get(peerId),
    findLeftByPeer: (peerId) => leftByPeer.get(peerId),
    silenceMs(sessionId) {
      const at = heardAt.get(sessionId);
      return at === undefined ? undefined : performance.now() - at;
    },
    list: () => [...bySession.values()].map(({ session }) => session),
    listHeard: () => [...heardAt.keys()],
    get heardCount() {
      return heardAt.size;
    },
    forgetSilent(silenceMs) {
      const since = performance.now() - silenceMs;
      for (const [id, at] of heardAt) if (at < since && !bySession.has(id)) heardAt.delete(id);
    },
    touch,
    takeTouched() {
      const touches = [...touched].map(([sessionId, eventLoopLagMs]) => ({ sessionId, eventLoopLagMs }));
      touched.clear();
      return touches;
    },
    touchAll(touches) {
      // What has been told since is newer.
      for (const { sessionId, eventLoopLagMs } of touches) touched.set(sessionId, touched.get(sessionId) ?? eventLoopLagMs);
    },
    notify(sessionId, name, params) {
      const connected = bySession.get(sessionId);
      if (connected !== undefined && isNews(connected.told, `${name} ${JSON.stringify({ ...params, reason: '' })}`))
        connected.peer.notify(name, params);
    },
    revoke: (sessionId, attempt: { taskId: string; attempt: number; reason: RevocationReason }) =>
      live.notify(sessionId, 'task/revoked', attempt),
    end(sessionId, reason) {
      live.notify(sessionId, 'agent/sessionEnded', { sessionId, reason });
      const known = bySession.get(sessionId);
      bySession.delete(sessionId);
      // Whoever says goodbye is a caller like any other; one that was fenced must not become one unawares.
      if (known !== undefined && reason === 'deregistered') {
        forget(known.session, known.peer);
        leftByPeer.set(known.peer.id, known.session);
      }
      touched.delete(sessionId);
      heardAt.delete(sessionId);
    },
  };
  return live;
}
