import type { ContextItem, ContextPack, NewContextItemInput, PhaseContext } from '../context.ts';
import { at, ids } from './cast.ts';
import { artifactsOfFix } from './evidence.ts';

/** What the agent decided, as it leaves it for those who come later. */
export const newDecision: NewContextItemInput = {
  kind: 'decision',
  text: 'Names are bound, never quoted by hand.',
  rationale: 'Quoting broke on the apostrophe.',
  references: [{ kind: 'file', value: 'src/sign-in.ts', line: 42 }],
  pinned: true,
};

const origin = { ticketId: ids.ticket, phase: 'FIX', visit: 1, author: 'mender', taskId: ids.reproduce, attempt: 1 };

export const decisionItem: ContextItem = {
  id: ids.decision,
  citation: 'c:1',
  ...origin,
  kind: 'decision',
  text: 'Names are bound, never quoted by hand.',
  rationale: 'Quoting broke on the apostrophe.',
  references: [{ kind: 'file', value: 'src/sign-in.ts', line: 42 }],
  pinned: true,
  createdAt: at('09:08:00'),
};

/** Came with the completion of a task. */
const factItem: ContextItem = {
  id: ids.fact,
  citation: 'c:2',
  ...origin,
  kind: 'fact',
  text: 'The query is built by hand in src/sign-in.ts.',
  references: [],
  pinned: false,
  createdAt: at('09:10:00'),
};

export const fixContext: PhaseContext = {
  phase: 'FIX',
  visit: 1,
  tasksCompleted: 4,
  summaries: ["A test signs in as O'Brien and fails."],
  items: [decisionItem, factItem],
  artifacts: artifactsOfFix,
  narrative:
    'decision: Names are bound, never quoted by hand. (Quoting broke on the apostrophe.) [c:1]\nfact: The query is built by hand in src/sign-in.ts. [c:2]',
  stored: true,
};

/** For whoever reviews. */
export const packForReview: ContextPack = {
  ticketId: ids.ticket,
  forPhase: 'REVIEW',
  phases: [fixContext],
  text: `## Decisions
- Names are bound, never quoted by hand. (Quoting broke on the apostrophe.) [c:1, FIX]

## Facts
- The query is built by hand in src/sign-in.ts. [c:2, FIX]

## What was done
- A test signs in as O'Brien and fails. [FIX]

## Artifacts
- code_changes "test/sign-in.test.ts" version 1, sha256 45d15f509b15 [FIX]
- test_results "unit" version 1, sha256 9caded4b84ec [FIX]
`,
  tokens: 120,
  budgetTokens: 1_000,
  counter: 'tokenx',
  omitted: [],
};
