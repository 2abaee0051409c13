import { type ApprovalRule, gateDefinition } from '@baton/protocol';

/** Who decides: tokens of these names. */
export const voices = ['ada', 'ben', 'cleo'] as const;
export type Voice = (typeof voices)[number];
export type Decision = 'approve' | 'refuse';

/** What the gate of the model asks for. */
export const rules: readonly ApprovalRule[] =
  gateDefinition.parse({
    approvals: [
      { name: 'all', count: 2 },
      { name: 'named', count: 2, by: [...voices], onRefusal: 'count' },
    ],
  }).approvals ?? [];

export interface ModelApproval {
  readonly name: string;
  readonly evidence: number;
  state: 'waiting' | 'approved' | 'refused' | 'expired' | 'cancelled';
  readonly decisions: Map<Voice, Decision>;
}

/** What a ticket has been asked, as a plain list: no table, no digest and no clock. */
export interface ApprovalModel {
  readonly cancelsOthers: boolean;
  readonly approvals: ModelApproval[];
  readonly authors: Set<Voice>;
  evidence: number;
}

const end = (model: ApprovalModel, isMeant: (approval: ModelApproval) => boolean) => {
  for (const each of model.approvals) if (each.state === 'waiting' && isMeant(each)) each.state = 'cancelled';
};

export const findNewest = ({ approvals }: ApprovalModel, name: string): ModelApproval | undefined =>
  approvals.findLast((each) => each.name === name);

export function validate(model: ApprovalModel, renew: boolean): void {
  const { evidence, approvals, cancelsOthers } = model;
  end(model, (each) => each.evidence !== evidence);
  const counting = rules.map(({ name }) =>
    approvals.findLast((each) => each.name === name && each.evidence === evidence && each.state !== 'cancelled'),
  );
  if (cancelsOthers && !renew && counting.some((each) => each?.state === 'refused')) return;
  for (const [index, { name }] of rules.entries()) {
    const state = counting[index]?.state;
    if (state === undefined || (renew && (state === 'refused' || state === 'expired')))
      approvals.push({ name, evidence, state: 'waiting', decisions: new Map() });
  }
}

/** What a decision about the newest approval of a name is answered with: the kind of the error, or the state. */
export function decide(model: ApprovalModel, name: string, [voice, decision]: readonly [Voice, Decision]): string | undefined {
  const approval = findNewest(model, name);
  const rule = rules.find((each) => each.name === name);
  if (approval === undefined || rule === undefined) return undefined;
  const { decisions } = approval;
  if (decisions.get(voice) === decision) return approval.state;
  if (approval.state !== 'waiting' || approval.evidence !== model.evidence || decisions.has(voice)) return 'approval_closed';
  if (model.authors.has(voice)) return 'approval_not_yours';
  decisions.set(voice, decision);
  const refusals = [...decisions.values()].filter((each) => each === 'refuse').length;
  if (refusals > 0 && (rule.onRefusal === 'refuse' || countVoices(model) - refusals < rule.count)) approval.state = 'refused';
  else if (decisions.size - refusals >= rule.count) approval.state = 'approved';
  if (approval.state === 'refused' && model.cancelsOthers) end(model, () => true);
  return approval.state;
}

const countVoices = ({ authors }: ApprovalModel): number => voices.filter((each) => !authors.has(each)).length;

export function expire(model: ApprovalModel, name: string): void {
  const approval = findNewest(model, name);
  if (approval?.state === 'waiting') approval.state = 'expired';
}

export function change(model: ApprovalModel, author: Voice | undefined): void {
  model.evidence += 1;
  if (author !== undefined) model.authors.add(author);
}

/** What the gate lacks, by the approvals' names. */
export function listMissing(model: ApprovalModel): string[] {
  const counting = (name: string) =>
    model.approvals.findLast((each) => each.name === name && each.evidence === model.evidence && each.state !== 'cancelled');
  // A refusal that cancels the others refuses them all, until they are renewed.
  const isRefusedForAll = model.cancelsOthers && rules.some(({ name }) => counting(name)?.state === 'refused');
  return rules.flatMap(({ name, by, count }) => {
    const state = counting(name)?.state;
    if (state === 'approved') return [];
    if (state === 'refused' || state === 'expired') return [`${name} ${state}`];
    if (by !== undefined && countVoices(model) < count) return [`${name} impossible`];
    return [`${name} ${state === undefined && isRefusedForAll ? 'refused' : 'waiting'}`];
  });
}
