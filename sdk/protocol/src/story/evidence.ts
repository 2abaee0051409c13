import type { Artifact } from '../artifact.ts';
import type { GateResult } from '../gate.ts';
import { at, ids } from './cast.ts';

const testResultsSha = '9caded4b84ec6f92f17558a37bd2cd14801409bd08f9880df3c8f160b8038cb2';
const changesSha = '45d15f509b1573596e220afe9fb618e6f8ef6dff4cefb1be3f151935549b06f3';

/** What the gate of FIX asks for. */
export const testResults: Artifact = {
  id: ids.testResults,
  ticketId: ids.ticket,
  phase: 'FIX',
  visit: 1,
  type: 'test_results',
  name: 'unit',
  version: 1,
  mediaType: 'application/json',
  sha256: testResultsSha,
  sizeBytes: 24,
  author: 'admin',
  createdAt: at('09:28:00'),
  token: 'admin',
};

/** The artifacts of the visit, as a phase's context names them. */
export const artifactsOfFix = [
  { type: 'code_changes', name: 'test/sign-in.test.ts', version: 1, sha256: changesSha },
  { type: 'test_results', name: 'unit', version: 1, sha256: testResultsSha },
];

/** The gate lets the ticket go. */
export const gatePassed: GateResult = {
  id: ids.gateResult,
  ticketId: ids.ticket,
  phase: 'FIX',
  visit: 1,
  outcome: 'passed',
  digest: '319c2eaa36955a0a726a0a67d25d687e09f93c5775f5a83e09e1f289805dfc7e',
  judged: [
    { artifactId: ids.changes, type: 'code_changes', name: 'test/sign-in.test.ts', version: 1, sha256: changesSha },
    { artifactId: ids.testResults, type: 'test_results', name: 'unit', version: 1, sha256: testResultsSha },
  ],
  reasons: [],
  verdicts: [{ validator: 'criteria', requirement: 'required', outcome: 'pass', findings: [], durationMs: 4 }],
  durationMs: 6,
  createdAt: at('09:29:00'),
};
