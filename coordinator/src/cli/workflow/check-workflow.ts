import { type FieldProblem, phaseDefinition, type WorkflowDefinition, workflowDefinition } from '@baton/protocol';
import { z } from 'zod';
import { listWritten } from '../../workflow/gate-contents.ts';
import { findWorkflowProblems } from '../../workflow/workflow-problems.ts';
import { asList, asRecord, salvage } from '../plan/salvage.ts';
import { findOfferProblems, lowerFirst } from './check-offers.ts';
import type { Offered } from '../plan/read-offered.ts';
import { collectProblems } from '../yaml/problems.ts';
import { findShapeProblems, type Shape } from '../yaml/shape-problems.ts';
import { parsePath, type YamlDocument, type YamlProblem } from '../yaml/yaml-document.ts';

export type CheckedWorkflow =
  | { readonly workflow: WorkflowDefinition; readonly problems: readonly [] }
  | { readonly workflow: undefined; readonly problems: readonly YamlProblem[] };

/** The JSON schema of a workflow, for editors. */
export const toWorkflowJsonSchema = () => z.toJSONSchema(workflowDefinition, { target: 'draft-07', io: 'input', unrepresentable: 'any' });

/**
 * Finds every mistake of a workflow, in the order of the file: of its shape, of its ways, templates, patterns and schemas,
 * validators that nobody offers, and configurations that they would not take. What the enabled plugins offer may not be known; then nothing is said of it.
 */
export async function checkWorkflow(document: YamlDocument, offered: Offered | undefined): Promise<CheckedWorkflow> {
  if (document.syntaxProblems.length > 0) return { workflow: undefined, problems: document.syntaxProblems };
  const problems = collectProblems(document);
  for (const { path, message } of findProblems(document.value)) problems.add(parsePath(path), lowerFirst(message));
  const { phases, artifactTypes } = asRecord(document.value);
  const gates = asList(phases).map((phase, index) => ({ path: `phases[${index}].gate`, gate: asRecord(phase)['gate'] }));
  for (const { path, message } of await findOfferProblems(gates, listWritten(gates, artifactTypes), offered))
    problems.add(parsePath(path), message);
  const all = [...findShapeProblems(document, workflowShape()), ...problems.list].sort((a, b) => a.line - b.line || a.column - b.column);
  return all.length === 0 ? { workflow: workflowDefinition.parse(document.value), problems: [] } : { workflow: undefined, problems: all };
}

/** What contradicts itself in the workflow without what does not fit, so that a mistake in one place does not hide those elsewhere. */
function findProblems(value: unknown): FieldProblem[] {
  const root = asRecord(value);
  const phases = asList(root['phases']).map((given) => salvage(phaseDefinition, given));
  const understood = salvage(workflowDefinition, { ...root, phases: phases.map(({ data }) => data) }).data;
  return understood === undefined
    ? []
    : findWorkflowProblems(understood).filter(({ path }) => {
        const [, index, field] = /^phases\[(\d+)\]\.(.+)$/.exec(path) ?? [];
        return field === undefined || isSure(field, phases[Number(index)]?.unsure ?? new Set());
      });
}

/** Whether a field of a phase has no effect indeed: what it needs may be in one of those of which it is not known what they should say. */
export const isSure = (field: string, unsure: ReadonlySet<string>): boolean =>
  field === 'onRefused'
    ? !['gate', 'advance', 'tasks'].some((other) => unsure.has(other))
    : !field.endsWith('.when') || !unsure.has('onRefused');

const workflowShape = (): Shape => ({
  schema: workflowDefinition,
  jsonSchema: toWorkflowJsonSchema(),
  hint(path) {
    if (path.at(-2) === 'locks') return 'a lock is written as `{ key: file:src/a.ts }`';
    return path.at(-1) === 'input' ? 'an input is a mapping of names to values, such as `{ topic: … }`' : undefined;
  },
});
