import type { EdgeKind, GateDefinition, WorkflowDefinition } from '@baton/protocol';
import { firstPhase, isFinal } from '../../workflow/workflow-rules.ts';

/** A workflow as a mermaid state diagram, which many pages of text show as a picture. */
export function toMermaidGraph(workflow: WorkflowDefinition): string {
  const gates = workflow.phases.flatMap(({ name, gate }) => {
    const wants = describeGate(gate);
    return wants.length === 0 ? [] : [`  note right of ${name}`, ...wants.map((want) => `    ${want}`), '  end note'];
  });
  return [
    'stateDiagram-v2',
    `  [*] --> ${firstPhase(workflow).name}`,
    ...workflow.edges.map(({ from, to, kind }) => `  ${from} --> ${to}${kind === 'forward' ? '' : `: ${kind}`}`),
    ...workflow.phases.filter(({ name }) => isEnd(workflow, name)).map(({ name }) => `  ${name} --> [*]`),
    ...gates,
  ].join('\n');
}

const edgeStyle = {
  forward: '',
  regression: ' [style=dashed, color="#b45309", constraint=false]',
  block: ' [style=dotted, color="#94a3b8", constraint=false]',
  unblock: ' [style=dotted, color="#94a3b8", constraint=false]',
} as const satisfies Record<EdgeKind, string>;

/** A workflow in the language of Graphviz: work flows from left to right, and what a gate asks for stands under its phase. */
export function toDot(workflow: WorkflowDefinition): string {
  const phases = workflow.phases.map((phase) => {
    const { name, gate } = phase;
    const label = [name, ...describeGate(gate)].map(escape).join('\\n');
    const border = isEnd(workflow, name) ? ', peripheries=2' : name === workflow.blockedPhase ? ', style="rounded,dashed"' : '';
    return `  ${quote(name)} [label="${label}"${border}];`;
  });
  return [
    `digraph ${quote(workflow.name)} {`,
    '  rankdir=LR;',
    '  bgcolor="transparent";',
    // Room at the sides: where Helvetica is not installed, letters are wider than Graphviz takes them to be.
    '  node [shape=box, style=rounded, fontname="Helvetica", fontsize=11, margin="0.3,0.1"];',
    '  edge [fontname="Helvetica", fontsize=9];',
    ...phases,
    ...workflow.edges.map(({ from, to, kind }) => `  ${quote(from)} -> ${quote(to)}${edgeStyle[kind]};`),
    '}',
  ].join('\n');
}

/** Where a ticket is done. In the blocked phase it waits, whether or not an edge leads back. */
const isEnd = (workflow: WorkflowDefinition, phase: string): boolean => isFinal(workflow, phase) && phase !== workflow.blockedPhase;

/** What a gate asks for, in a few words each. */
function describeGate(gate: GateDefinition | undefined): string[] {
  if (gate === undefined) return [];
  const { tasksMin } = gate;
  return [
    // An open or failed task holds every gate.
    tasksMin === 0 ? 'no open task' : `${tasksMin} completed ${tasksMin === 1 ? 'task' : 'tasks'}`,
    ...gate.artifacts,
    ...gate.criteria.map(
      ({ artifact, path, op, value }) => `${artifact}.${path} ${op}${value === undefined ? '' : ` ${JSON.stringify(value)}`}`,
    ),
    ...gate.validators.map(({ use, requirement }) => `${use}${requirement === 'advisory' ? ' (advisory)' : ''}`),
    ...(gate.approvals ?? []).map(({ name, count }) => `${name}: ${count} ${count === 1 ? 'approval' : 'approvals'}`),
  ];
}

const escape = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`);
const quote = (text: string): string => `"${escape(text)}"`;
