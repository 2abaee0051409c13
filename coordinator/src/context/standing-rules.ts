import { type ContextSource, CoordinatorError, mayAccess } from '@baton/protocol';
import type { Origin } from '../artifact/artifact.service.ts';

/** Whether a token speaks whose word agents leave as it is. */
export const mayOperate = ({ role }: Pick<Origin, 'role'>): boolean => role !== undefined && mayAccess(role, 'operate');

export interface Statement {
  readonly citation: string;
  readonly source: ContextSource;
  /** A token that may operate has said, pinned or let it go. */
  readonly isByOperator: boolean;
}

/**
 * What the coordinator has seen, and what people have had a say in, is not for agents to take back.
 * @throws CoordinatorError `access_denied`
 */
export function refuseForeign(origin: Pick<Origin, 'role'>, { citation, source, isByOperator }: Statement): void {
  const isOfOthers = source === 'mechanical' || isByOperator;
  if (!isOfOthers || mayOperate(origin)) return;
  const whose = source === 'mechanical' ? 'what the coordinator has recorded' : 'what an operator or admin has said or pinned';
  throw new CoordinatorError('access_denied', {
    citation,
    role: origin.role,
    needs: 'operate',
    message: `${citation} is ${whose}: only an operator or admin may supersede it or let it go. Note a question or a risk about it instead, with ${citation} among its references.`,
  });
}
