import { type PhaseDefinition, softwareDelivery, type WorkflowDefinition, workflowDefinition } from '@baton/protocol';
import { nextPhase } from '../../workflow/workflow-rules.ts';
import { gateOf } from './plan-outline.ts';
import type { Plan } from '../plan-schema.ts';
import { withWorkspace } from './references.ts';

/**
 * Makes one workflow of a plan: the phases of the workflow it builds on, with the plan's tasks and gates, going on by
 * themselves as far as the last. The plan has been checked.
 */
export function compilePlan(plan: Plan, workspace: string | undefined): WorkflowDefinition {
  const { phases, ...base } = typeof plan.workflow === 'string' ? softwareDelivery : plan.workflow;
  const known = workflowDefinition.parse({ ...base, phases });
  const definition = {
    ...base,
    name: plan.name,
    ...(plan.description === undefined ? {} : { description: plan.description }),
    phases: phases.map((phase) => compilePhase(plan, phase, known)),
  };
  return workflowDefinition.parse(workspace === undefined ? definition : withWorkspace(definition, workspace));
}

type PhaseInput = Omit<PhaseDefinition, 'advance'> & { readonly advance?: PhaseDefinition['advance'] | undefined };

function compilePhase({ phases }: Plan, phase: PhaseInput, workflow: WorkflowDefinition): PhaseInput {
  const { name } = phase;
  if (nextPhase(workflow, name) === undefined) return phase;
  const given = phases[name];
  const tasks = given?.tasks ?? phase.tasks;
  const gate = gateOf(workflow, { name, gate: given?.gate, tasks });
  const onRefused = given?.onRefused ?? phase.onRefused;
  // The built-in workflow waits to be told because people use it; a plan is there to be carried out.
  const own = workflow.name === softwareDelivery.name ? undefined : phase.advance;
  return {
    ...phase,
    tasks,
    advance: given?.advance ?? own ?? 'automatic',
    ...(gate === undefined ? {} : { gate }),
    ...(onRefused === undefined ? {} : { onRefused }),
  };
}
