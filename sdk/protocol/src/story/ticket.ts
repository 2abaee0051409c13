import type { PhaseVisit, Ticket } from '../ticket.ts';
import { at, ids } from './cast.ts';

/** A bug, reported. */
export const reportedBug: Ticket = {
  id: ids.ticket,
  title: 'Sign-in fails for names with an apostrophe',
  description: "O'Brien cannot sign in.",
  priority: 'HIGH',
  workflow: { name: 'bug-fix', version: 1 },
  phase: 'FIX',
  visit: 1,
  state: 'open',
  metadata: { report: 'BUG-17' },
  createdAt: at('09:01:00'),
  updatedAt: at('09:01:00'),
  version: 1,
};

export const bugInReview: Ticket = {
  ...reportedBug,
  phase: 'REVIEW',
  previousPhase: 'FIX',
  visit: 2,
  version: 2,
  updatedAt: at('09:30:00'),
};

const serverAway = 'The test server is away.';

export const bugBlocked: Ticket = {
  ...bugInReview,
  phase: 'BLOCKED',
  previousPhase: 'REVIEW',
  state: 'blocked',
  blockedReason: serverAway,
  visit: 3,
  version: 3,
  updatedAt: at('09:35:00'),
};

export const bugUnblocked: Ticket = { ...bugInReview, previousPhase: 'BLOCKED', visit: 4, version: 4, updatedAt: at('09:40:00') };

export const renamedBug: Ticket = { ...bugUnblocked, title: "Sign-in fails for O'Brien", version: 5, updatedAt: at('09:41:00') };

export const bugCancelled: Ticket = { ...renamedBug, state: 'cancelled', version: 6, updatedAt: at('09:42:00') };

/** It has just arrived. */
export const reviewVisit: PhaseVisit = {
  number: 2,
  from: 'FIX',
  to: 'REVIEW',
  kind: 'forward',
  by: 'admin',
  reason: 'The test passes.',
  artifacts: {},
  forced: false,
  enteredAt: at('09:30:00'),
  durationMs: 0,
};

/** Twenty-nine minutes, from the report to the gate that let it go. */
export const fixVisit: PhaseVisit = {
  number: 1,
  to: 'FIX',
  by: 'admin',
  artifacts: {},
  forced: false,
  enteredAt: at('09:01:00'),
  leftAt: at('09:30:00'),
  durationMs: 1_740_000,
};

export const blockedVisit: PhaseVisit = {
  number: 3,
  from: 'REVIEW',
  to: 'BLOCKED',
  kind: 'block',
  by: 'admin',
  reason: serverAway,
  artifacts: {},
  forced: false,
  enteredAt: at('09:35:00'),
  durationMs: 0,
};

export const unblockedVisit: PhaseVisit = {
  number: 4,
  from: 'BLOCKED',
  to: 'REVIEW',
  kind: 'unblock',
  by: 'admin',
  reason: 'The server is back.',
  artifacts: {},
  forced: false,
  enteredAt: at('09:40:00'),
  durationMs: 0,
};
