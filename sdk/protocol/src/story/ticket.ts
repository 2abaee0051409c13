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
};

export const bugInReview: Ticket = { ...reportedBug, phase: 'REVIEW', previousPhase: 'FIX', visit: 2, updatedAt: at('09:30:00') };

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
