import { type WorkflowDefinition, workflowDefinition } from '@baton/protocol';
import { z } from 'zod';
import { findWorkflowProblems } from '../../workflow/workflow-rules.ts';
import { suggest } from '../yaml/nearest.ts';
import { collectProblems } from '../yaml/problems.ts';
import { findShapeProblems } from '../yaml/shape-problems.ts';
import { parsePath, type YamlDocument, type YamlProblem } from '../yaml/yaml-document.ts';

export type CheckedWorkflow =
  | { readonly workflow: WorkflowDefinition; readonly problems: readonly [] }
  | { readonly workflow: undefined; readonly problems: readonly YamlProblem[] };

/** The JSON schema of a workflow, for editors. */
export const toWorkflowJsonSchema = () => z.toJSONSchema(workflowDefinition, { target: 'draft-07', io: 'input', unrepresentable: 'any' });

/**
 * Finds every mistake of a workflow, in the order of the file: of its shape, of its ways, and validators that nobody offers.
 * What the enabled plugins offer may not be known; then nothing is said of it.
 */
export function checkWorkflow(document: YamlDocument, validators: readonly string[] | undefined): CheckedWorkflow {
  if (document.syntaxProblems.length > 0) return { workflow: undefined, problems: document.syntaxProblems };
  const checked = workflowDefinition.safeParse(document.value);
  const problems = collectProblems(document);
  if (checked.success) {
    for (const { path, message } of findWorkflowProblems(checked.data)) problems.add(parsePath(path), lowerFirst(message));
    if (validators !== undefined) checkValidators(checked.data, validators, problems.add);
  }
  const shape = findShapeProblems(document, { schema: workflowDefinition, jsonSchema: toWorkflowJsonSchema() });
  const all = [...shape, ...problems.list].sort((a, b) => a.line - b.line || a.column - b.column);
  return checked.success && all.length === 0 ? { workflow: checked.data, problems: [] } : { workflow: undefined, problems: all };
}

function checkValidators(
  { phases }: WorkflowDefinition,
  offered: readonly string[],
  report: (path: readonly (string | number)[], message: string) => void,
): void {
  for (const [phase, { gate }] of phases.entries())
    for (const [index, { use }] of (gate?.validators ?? []).entries())
      if (!offered.includes(use))
        report(
          ['phases', phase, 'gate', 'validators', index, 'use'],
          `no enabled plugin offers the validator ${use}${suggest(use, offered, 'they offer')}`,
        );
}

// A name in capitals stays as it is.
const lowerFirst = (text: string): string => text.replace(/^[A-Z](?![A-Z_])/, (letter) => letter.toLowerCase()).replace(/\.$/, '');
