import type { z } from 'zod';

/** The operators that compare sizes, which a margin can move. */
const sizeOperators: readonly string[] = ['>', '>=', '<', '<='];

interface Written {
  readonly path: string;
  readonly op: string;
  readonly value?: unknown;
  readonly smallSample?: { readonly path: string } | undefined;
  readonly optional?: boolean | undefined;
}

/** Reports what no artifact could fulfil, so that it is found when a workflow is checked and not when a ticket stands at the gate. */
export function refuseWrongCriterion({ path, op, value, smallSample, optional }: Written, { addIssue }: z.core.$RefinementCtx): void {
  const report = (at: readonly string[], message: string) => addIssue({ code: 'custom', path: [...at], message });
  const wrongValue = findWrongValue(op, value);
  if (wrongValue !== undefined) report(['value'], wrongValue);
  if (hasGap(path)) report(['path'], gap);
  if (optional === true && op === 'exists') report(['optional'], 'exists asks whether it is there, which optional leaves open.');
  if (smallSample === undefined) return;
  if (!sizeOperators.includes(op)) report(['smallSample'], 'A margin needs an operator that compares sizes: >, >=, < or <=.');
  if (hasGap(smallSample.path)) report(['smallSample', 'path'], gap);
}

function findWrongValue(op: string, value: unknown): string | undefined {
  if (op === 'exists') return value === undefined || typeof value === 'boolean' ? undefined : 'exists takes true, false or no value.';
  if (value === undefined) return `${op} needs a value to compare with.`;
  if (sizeOperators.includes(op)) return typeof value === 'number' ? undefined : `${op} compares with a number.`;
  if (op === 'containsAll') return Array.isArray(value) ? undefined : 'containsAll takes a list; contains takes one value.';
  // Whether RE2 can read the text is found by who has RE2: the coordinator, when a workflow is put or checked.
  return op === 'matches' && typeof value !== 'string' ? 'matches takes a regular expression, as a text.' : undefined;
}

const hasGap = (path: string): boolean => path.split('.').includes('');
const gap = 'A path is names and indices with one dot between them, as in suites.0.failed.';
