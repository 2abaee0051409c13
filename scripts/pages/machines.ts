import { finalStates, type MethodName, softwareDelivery, taskMachine, toMermaid } from '@baton/protocol';
import { blocks, code, link, pageHead, table } from './markdown.ts';

const named = (name: MethodName) => link(code(name), 'methods.md', name);

/** What takes each step. */
const takenBy: Readonly<Record<keyof typeof taskMachine.steps, string>> = {
  unblock: 'the end of the last task that it depends on',
  claim: named('task/claim'),
  complete: named('task/complete'),
  fail: `${named('task/fail')} that is permanent, or any end without a result when the attempts are used up`,
  requeue: `${named('task/fail')}, ${named('task/release')}, a time-out, or an agent that is lost`,
  skip: 'the failure of a task that it depends on, unless it says `onDependencyFailure: run`',
  cancel: `${named('task/cancel')}, or the end of its phase`,
  retry: named('task/retry'),
  reopen: `${named('task/retry')} of the task for which it was skipped`,
};

/** The state machines as diagrams and as tables. */
export function machinesPage(): string {
  const ended = finalStates(taskMachine).map(code).join(', ');
  const steps = Object.entries(taskMachine.steps).map(([step, { from, to }]) => [
    code(step),
    from.map(code).join(', '),
    code(to),
    takenBy[step as keyof typeof takenBy],
  ]);
  return `${blocks(
    pageHead('State machines', '@baton/protocol').trimEnd(),
    'Tables in the contract, of which these are drawings. A step that is not in the table is refused.',
    `- ${link('Task', '', 'Task')}\n- ${link('Ticket', '', 'Ticket')}`,
    '## Task',
    `Nothing leaves ${ended}. Only ${named('task/retry')} leads out of the other states in which a task has ended.`,
    diagram(toMermaid(taskMachine)),
    table(['step', 'from', 'to', 'taken by'], steps),
    '## Ticket',
    `A ticket moves along the edges of its workflow, by ${named('ticket/transition')} or by itself. This is the built-in workflow ${code(softwareDelivery.name)}. Forward
edges pass the gate of the phase that is left; a blocked ticket may also return to the phase that it was blocked in.`,
    diagram(phasesDiagram()),
    table(
      ['from', 'to', 'kind'],
      softwareDelivery.edges.map(({ from, to, kind }) => [code(from), code(to), kind]),
    ),
  )}\n`;
}

const diagram = (text: string) => `\`\`\`mermaid\n${text}\n\`\`\``;

function phasesDiagram(): string {
  const { phases, edges } = softwareDelivery;
  const arrows = edges.map(({ from, to, kind }) => `  ${from} --> ${to}${kind === 'forward' ? '' : `: ${kind}`}`);
  return ['stateDiagram-v2', `  [*] --> ${phases[0]?.name}`, ...arrows].join('\n');
}
