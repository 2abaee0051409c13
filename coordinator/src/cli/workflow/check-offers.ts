import type { FieldProblem } from '@baton/protocol';
import { createSchemaChecker } from '../../artifact/schema-checker.ts';
import { listUses } from '../../workflow/gate-contents.ts';
import { findMisfits, type Written } from '../../workflow/misfits.ts';
import type { Offered } from '../plan/read-offered.ts';
import { suggest } from '../yaml/nearest.ts';

/**
 * What gates ask that cannot be answered: validators that nobody offers, and what of `written` cannot be used. What is offered may
 * not be known; then nothing is said of it.
 */
export async function findOfferProblems(
  gates: readonly { readonly path: string; readonly gate: unknown }[],
  written: Written,
  offered: Offered | undefined,
): Promise<FieldProblem[]> {
  const checker = createSchemaChecker();
  try {
    const misfits = await findMisfits(written, offered?.configs ?? new Map(), checker);
    const unknown = offered === undefined ? [] : gates.flatMap((gate) => findUnknown(gate, offered.validators));
    return [...misfits.map(({ path, message }) => ({ path, message: lowerFirst(message) })), ...unknown];
  } finally {
    await checker.stop();
  }
}

const findUnknown = ({ path, gate }: { readonly path: string; readonly gate: unknown }, offered: readonly string[]): FieldProblem[] =>
  listUses(gate).flatMap((each) =>
    offered.includes(each.use)
      ? []
      : [
          {
            path: `${path}.${each.path}`,
            message: `no enabled plugin offers the validator ${each.use}${suggest(each.use, offered, 'they offer')}`,
          },
        ],
  );

/** A sentence as what stands behind a place. A name in capitals stays as it is, be it of one letter. */
export const lowerFirst = (text: string): string => text.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase()).replace(/\.$/, '');
