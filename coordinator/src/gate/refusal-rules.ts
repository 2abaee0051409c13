import type { GateReason, GateResult } from '@baton/protocol';

type Reasons = Pick<GateResult, 'reasons'>;

/** A check that came to no verdict. Not one that could not be shown the evidence: that can be made smaller. */
const isCrash = ({ code, findingCode }: GateReason): boolean =>
  (code === 'validator_error' || code === 'validator_timeout') && findingCode !== 'evidence_too_large';

const unrefused: readonly GateReason['code'][] = ['approval_waiting', 'approval_later', 'approval_expired', 'approval_impossible'];

/** Something is refused that more work may mend. That a check has crashed, or nobody has approved in time, is nothing of the kind. */
export const isRefusal = (reason: GateReason): boolean => !isCrash(reason) && !unrefused.includes(reason.code);

/** Nothing was refused, and a check came to no verdict. */
export const hasCrashed = ({ reasons }: Reasons): boolean => !reasons.some(isRefusal) && reasons.some(isCrash);
