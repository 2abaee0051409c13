import { phaseDefinition, type WorkflowDefinition, workflowDefinition } from '@baton/protocol';
import { z } from 'zod';
import { findWorkflowProblems } from '../../workflow/workflow-rules.ts';
import { asList, asRecord, salvage } from '../plan/salvage.ts';
import { suggest } from '../yaml/nearest.ts';
import { collectProblems, type Problems } from '../yaml/problems.ts';
import { findShapeProblems, type Shape } from '../yaml/shape-problems.ts';
import { parsePath, type YamlDocument, type YamlProblem } from '../yaml/yaml-document.ts';

export type CheckedWorkflow =
  | { readonly workflow: WorkflowDefinition; readonly problems: readonly [] }
  | { readonly workflow: undefined; readonly problems: readonly YamlProblem[] };

/** The JSON schema of a workflow, for editors. */
export const toWorkflowJsonSchema = () => z.toJSONSchema(workflowDefinition, { target: 'draft-07', io: 'input', unrepresentable: 'any' });

/**
 * Finds every mistake of a workflow, in the order of the file: of its shape, of its ways and templates, and validators that nobody
 * offers. What the enabled plugins offer may not be known; then nothing is said of it.
 */
export function checkWorkflow(document: YamlDocument, validators: readonly string[] | undefined): CheckedWorkflow {
  if (document.syntaxProblems.length > 0) return { workflow: undefined, problems: document.syntaxProblems };
  const problems = collectProblems(document);
  const understood = understand(document.value);
  for (const { path, message } of understood === undefined ? [] : findWorkflowProblems(understood))
    problems.add(parsePath(path), lowerFirst(message));
  if (validators !== undefined) checkValidators(document.value, validators, problems);
  const all = [...findShapeProblems(document, workflowShape()), ...problems.list].sort((a, b) => a.line - b.line || a.column - b.column);
  return all.length === 0 ? { workflow: workflowDefinition.parse(document.value), problems: [] } : { workflow: undefined, problems: all };
}

/** The workflow without what does not fit, so that a mistake in one place does not hide those elsewhere; undefined where nothing is left. */
function understand(value: unknown): WorkflowDefinition | undefined {
  const root = asRecord(value);
  const phases = asList(root['phases']).map((given) => {
    const { data, unsure } = salvage(phaseDefinition, given);
    if (!unsure.has('tasks')) return data;
    // Tasks that are not understood may be those that others name.
    const { onRefused: _, ...phase } = { ...data, tasks: [] };
    return phase;
  });
  return salvage(workflowDefinition, { ...root, phases }).data;
}

const workflowShape = (): Shape => ({
  schema: workflowDefinition,
  jsonSchema: toWorkflowJsonSchema(),
  hint(path) {
    if (path.at(-2) === 'locks') return 'a lock is written as `{ key: file:src/a.ts }`';
    return path.at(-1) === 'input' ? 'an input is a mapping of names to values, such as `{ topic: … }`' : undefined;
  },
});

function checkValidators(value: unknown, offered: readonly string[], problems: Problems): void {
  for (const [phase, definition] of asList(asRecord(value)['phases']).entries())
    for (const [index, validator] of asList(asRecord(asRecord(definition)['gate'])['validators']).entries()) {
      const { use } = asRecord(validator);
      if (typeof use === 'string' && !offered.includes(use))
        problems.add(
          ['phases', phase, 'gate', 'validators', index, 'use'],
          `no enabled plugin offers the validator ${use}${suggest(use, offered, 'they offer')}`,
        );
    }
}

// A name in capitals stays as it is, be it of one letter.
const lowerFirst = (text: string): string => text.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase()).replace(/\.$/, '');
