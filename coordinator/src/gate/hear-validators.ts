import type { GateReason, Verdict } from '@baton/protocol';
import { listReplacedArtifacts, readContents } from '../artifact/artifact.store.ts';
import type { EntityManager } from '../db/orm.ts';
import { listAttempts } from '../task/attempt.store.ts';
import type { TicketRow } from '../ticket/ticket.entity.ts';
import type { VisitSize } from './evidence.store.ts';
import { isOpen, validatorsOf } from './gate-rules.ts';
import { findGivenVerdicts } from './gate.store.ts';
import { judge, type JudgeParts } from './judge.ts';
import type { Judgeable } from './judgeable.ts';

interface Case {
  readonly ticket: TicketRow;
  readonly judgeable: Judgeable;
}

interface MeasuredCase extends Case {
  readonly size: VisitSize;
}

/** What the validators of a gate say of what is there. */
export interface Said {
  readonly verdicts: readonly Verdict[];
  /** Why they hold the gate. */
  readonly held: readonly GateReason[];
  readonly looksOutside: boolean;
  /** The result that the verdicts were taken over from. */
  readonly verdictsOf?: string;
}

const nothing: Said = { verdicts: [], held: [], looksOutside: false };

/** None is asked while tasks are open: the gate is not passed then, whatever they would say of unfinished work. */
const asksNobody = ({ gate, ...evidence }: Judgeable): boolean =>
  gate === undefined || evidence.tasks.some(isOpen) || validatorsOf(gate, evidence).length === 0;

/** Asks the validators, where there is something to ask. */
export async function askValidators(
  { em, plugins }: JudgeParts,
  { ticket, judgeable, size }: MeasuredCase,
  signal: AbortSignal | undefined,
): Promise<Said> {
  if (asksNobody(judgeable)) return nothing;
  const judgements = await judge(
    { em, plugins },
    {
      ...judgeable,
      ticket,
      shownBytes: size.contentBytes + size.factBytes,
      readContents: () => readContents(em, ticket, judgeable.artifacts),
      listAttempts: () => listAttempts(em, ticket.visitId),
      listReplaced: () => listReplacedArtifacts(em, ticket.visitId),
    },
    signal,
  );
  return {
    verdicts: judgements.map(({ verdict }) => verdict),
    held: judgements.flatMap(({ reasons }) => reasons),
    looksOutside: judgements.some((judgement) => judgement.looksOutside),
  };
}

/**
 * What is known without asking: that there is nobody to ask, or what the validators said when they were last shown exactly this, where
 * it has not aged and lets the gate open: they need not be asked again because somebody has approved. What they held against it may have
 * been mended outside.
 */
export async function recallVerdicts(
  em: EntityManager,
  { ticket: { visitId }, judgeable }: Case,
  outsideVerdictMs: number,
): Promise<Said | undefined> {
  if (asksNobody(judgeable)) return nothing;
  const { shownDigest } = judgeable;
  const given = await findGivenVerdicts(em, { visitId, shownDigest, outsideVerdictMs });
  if (given === undefined || given.verdicts.length === 0) return undefined;
  const { verdicts, looksOutside, verdictsOf } = given;
  return given.reasons.some(({ validator }) => validator !== undefined) ? undefined : { verdicts, held: [], looksOutside, verdictsOf };
}
