import { finalStates, type Machine, softwareDelivery, taskMachine, toMermaid } from '@baton/protocol';
import { code, pageHead, table } from './markdown.ts';

/** The state machines as diagrams and as tables. */
export function machinesPage(): string {
  return [
    pageHead('State machines', '@baton/protocol'),
    '## Task\n',
    `Final states: ${finalStates(taskMachine).map(code).join(', ')}. Only \`task/retry\` leads out of the others that have ended.\n`,
    diagram(toMermaid(taskMachine)),
    stepsTable(taskMachine),
    '## Ticket, in the workflow software-delivery\n',
    'A blocked ticket may also return to the phase that it was blocked in.\n',
    diagram(phasesDiagram()),
    `${table(
      ['from', 'to', 'kind'],
      softwareDelivery.edges.map(({ from, to, kind }) => [from, to, kind]),
    )}\n`,
  ].join('\n');
}

const diagram = (text: string) => `\`\`\`mermaid\n${text}\n\`\`\`\n`;

function stepsTable(machine: Machine): string {
  const rows = Object.entries(machine.steps).map(([step, { from, to }]) => [code(step), from.map(code).join(', '), code(to)]);
  return `${table(['step', 'from', 'to'], rows)}\n`;
}

function phasesDiagram(): string {
  const { phases, edges } = softwareDelivery;
  const arrows = edges.map(({ from, to, kind }) => `  ${from} --> ${to}${kind === 'forward' ? '' : `: ${kind}`}`);
  return ['stateDiagram-v2', `  [*] --> ${phases[0]?.name}`, ...arrows].join('\n');
}
