/**
 * Who and what the examples of all methods speak of. Together they tell one story: a bug is reported, an agent mends it in the
 * phase FIX, the gate lets the ticket go, and it moves to REVIEW. The ids are symbolic and valid all the same.
 */
export const ids = {
  defaultProject: '00000000-0000-7000-8000-000000000a01',
  shopProject: '00000000-0000-7000-8000-000000000a02',
  workflow: '00000000-0000-7000-8000-000000000b01',
  ticket: '00000000-0000-7000-8000-000000000c01',
  reproduce: '00000000-0000-7000-8000-000000000d01',
  measure: '00000000-0000-7000-8000-000000000d02',
  changelog: '00000000-0000-7000-8000-000000000d03',
  mend: '00000000-0000-7000-8000-000000000d04',
  agent: '00000000-0000-7000-8000-000000000e01',
  session: '00000000-0000-7000-8000-000000000e02',
  decision: '00000000-0000-7000-8000-000000000f01',
  fact: '00000000-0000-7000-8000-000000000f02',
  newerDecision: '00000000-0000-7000-8000-000000000f08',
  lockFact: '00000000-0000-7000-8000-000000000f0a',
  testCount: '00000000-0000-7000-8000-000000000f09',
  changes: '00000000-0000-7000-8000-000000000f03',
  testResults: '00000000-0000-7000-8000-000000000f04',
  gateResult: '00000000-0000-7000-8000-000000000f05',
  approval: '00000000-0000-7000-8000-000000000f07',
  subscription: '00000000-0000-7000-8000-000000000f06',
  clerkToken: '00000000-0000-7000-8000-000000001001',
} as const;

/** A moment of the day on which the story takes place. */
export const at = (time: string): string => `2026-03-02T${time}.000Z`;
