import type { Agent } from '../agent.ts';
import type { ContextAggregate, ContextItem, ContextPack, NewContextItemInput, PhaseContext } from '../context.ts';
import type { ExpandedContextItem, Rehydration } from '../context-methods.ts';
import { menderAfterUpdate } from './agent.ts';
import { at, ids } from './cast.ts';
import { artifactsOfFix } from './evidence.ts';
import { firstClaims, reproduceTask } from './task.ts';

/** What the agent decided, as it leaves it for those who come later. */
export const newDecision: NewContextItemInput = {
  kind: 'decision',
  text: 'Names are bound, never quoted by hand.',
  rationale: 'Quoting broke on the apostrophe.',
  references: [{ kind: 'file', value: 'src/sign-in.ts', line: 42 }],
  pinned: true,
};

/** The tokens of the story have the role `admin`. */
const place = { ticketId: ids.ticket, phase: 'FIX', visit: 1, byOperator: true };
const byMender = { ...place, author: 'mender', taskId: ids.reproduce, attempt: 1, source: 'said' } as const;

export const decisionItem: ContextItem = {
  id: ids.decision,
  citation: 'c:1',
  ...byMender,
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
  ...byMender,
  kind: 'fact',
  text: 'The query is built by hand in src/sign-in.ts.',
  references: [],
  pinned: false,
  createdAt: at('09:10:00'),
};

/** Nobody had to say these. */
const lockItem: ContextItem = {
  id: ids.lockFact,
  citation: 'c:5',
  ...place,
  author: 'coordinator',
  source: 'mechanical',
  kind: 'fact',
  text: '"Mend the query" held the locks of src/sign-in.ts',
  references: [{ kind: 'file', value: 'src/sign-in.ts' }],
  pinned: false,
  taskId: ids.mend,
  attempt: 1,
  createdAt: at('09:25:00'),
};
const countItem: ContextItem = {
  id: ids.testCount,
  citation: 'c:7',
  ...place,
  author: 'admin',
  source: 'reported',
  kind: 'number',
  text: 'test_results "unit": 41 passed, 0 failed, reported by admin',
  references: [{ kind: 'artifact', value: '9caded4b84ec6f92f17558a37bd2cd14801409bd08f9880df3c8f160b8038cb2' }],
  pinned: false,
  createdAt: at('09:28:00'),
};

const fixContext: PhaseContext = {
  phase: 'FIX',
  visit: 1,
  tasksCompleted: 4,
  summaries: ["A test signs in as O'Brien and fails."],
  items: [decisionItem, factItem, lockItem, countItem],
  artifacts: artifactsOfFix,
  narrative: {
    text: `number: test_results "unit": 41 passed, 0 failed, reported by admin [c:7]
decision: Names are bound, never quoted by hand. (Quoting broke on the apostrophe.) [c:1]
fact: "Mend the query" held the locks of src/sign-in.ts [c:5]
fact: A test signs in as O'Brien and fails. [c:3]
fact: The query is built by hand in src/sign-in.ts. [c:2]`,
    by: 'digest@0.1.0',
    uncovered: [],
    digest: 'a7c1f7a45c6b1a4e8b0f1d3c5e7f9a2b4c6d8e0f1a3b5c7d9e1f2a4b6c8d0e2f',
    stale: false,
  },
  stored: true,
};

export const fixAggregate: ContextAggregate = { ...fixContext, omitted: { items: 0, summaries: 0, artifacts: 0 } };

/** For whoever reviews. */
export const packForReview: ContextPack = {
  ticketId: ids.ticket,
  forPhase: 'REVIEW',
  phases: [fixContext],
  text: `## Decisions
- Names are bound, never quoted by hand. (Quoting broke on the apostrophe.) [c:1, FIX]

## Facts
- The query is built by hand in src/sign-in.ts. [c:2, FIX]

## Recorded by the coordinator
- "Mend the query" held the locks of src/sign-in.ts [c:5, FIX]

## Told by artifacts
- test_results "unit": 41 passed, 0 failed, reported by admin [c:7, FIX]

## What was done
- A test signs in as O'Brien and fails. [c:3, FIX]

## Artifacts
- code_changes "test/sign-in.test.ts" version 1, sha256 45d15f509b15 [c:4, FIX]
- test_results "unit" version 1, sha256 9caded4b84ec [c:6, FIX]
`,
  tokens: 217,
  budgetTokens: 2_000,
  counter: 'tokenx',
  omitted: [],
  asOf: 31,
  digest: '0d2f4b6c8d0e2fa7c1f7a45c6b1a4e8b0f1d3c5e7f9a2b4c6d8e0f1a3b5c7d9e',
  own: { phase: 'REVIEW', visit: 2, tasksCompleted: 0, summaries: [], items: [], artifacts: [], stored: false },
};

/** In the course of the review something better turns up. */
export const newerDecision: NewContextItemInput = { kind: 'decision', text: 'Names go through the query builder.' };

const newerItem: ContextItem = {
  id: ids.newerDecision,
  citation: 'c:8',
  ...place,
  phase: 'REVIEW',
  visit: 2,
  author: 'admin',
  source: 'said',
  kind: 'decision',
  text: 'Names go through the query builder.',
  references: [],
  pinned: true,
  createdAt: at('09:36:00'),
};

export const replacedDecision = {
  superseded: {
    ...decisionItem,
    superseded: { by: 'c:8', reason: 'The library quotes by itself now.', at: at('09:36:00') },
  } satisfies ContextItem,
  by: newerItem,
};

export const pinnedFact: ContextItem = { ...factItem, pinned: true };

const { input: _input, output: _output, attempts: _attempts, ...taskOfDecision } = reproduceTask;

export const expandedDecision: ExpandedContextItem = {
  item: decisionItem,
  task: taskOfDecision,
  artifacts: [],
  tasks: [],
  events: [],
  items: [],
  unresolved: [{ kind: 'file', value: 'src/sign-in.ts', line: 42 }],
};

const busyMender: Agent = { ...menderAfterUpdate, status: 'busy', running: 3 };

/** The agent asks in the middle of its first tasks. */
export const whatIsLost: Rehydration = {
  agent: busyMender,
  team: [busyMender],
  tasks: firstClaims,
  locks: [],
  tickets: [
    {
      ticketId: ids.ticket,
      phase: 'FIX',
      pack: {
        ticketId: ids.ticket,
        forPhase: 'FIX',
        phases: [],
        text: `## Decisions
- Names are bound, never quoted by hand. (Quoting broke on the apostrophe.) [c:1, FIX]
`,
        tokens: 29,
        budgetTokens: 4_000,
        counter: 'tokenx',
        omitted: [],
        asOf: 8,
        digest: '0d2f4b6c8d0e2fa7c1f7a45c6b1a4e8b0f1d3c5e7f9a2b4c6d8e0f1a3b5c7d9e',
        own: { phase: 'FIX', visit: 1, tasksCompleted: 0, summaries: [], items: [decisionItem], artifacts: [], stored: false },
      },
    },
  ],
};
