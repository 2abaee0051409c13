import { blocks, narrowTable } from '../../../scripts/pages/markdown.ts';
import type { Recorded } from './figures.ts';
import type { Machine } from './machine.ts';
import type { Report, Row, Spread, Table } from './report.ts';

/** Three digits that mean something: 12,345 · 123 · 12.3 · 1.23 · 0.123. */
const digits = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3);

const spread = ({ median, min, max }: Spread): string => `${digits(median)} (${digits(min)}–${digits(max)})`;
const times = ({ median, min, max }: Spread): string => `× ${digits(median)} (${digits(min)}–${digits(max)})`;
const percent = ({ median }: Spread): string => `${Math.round(median * 100)} %`;

function tableText({ unit, rows }: Table): string {
  const names = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const ratioHead = names[0] === 'rate' ? 'ratio' : `ratio of ${names[0]}`;
  const head = ['', ...names.map((name) => (name === 'rate' ? unit : `${name}, ${unit}`)), ratioHead, 'to', 'coordinator, of one core'];
  const cells = ({ name, figures, ratio, beside, coordinatorCores }: Row) => [
    name,
    ...names.map((figure) => (figures[figure] === undefined ? '' : spread(figures[figure]))),
    ratio === undefined ? '' : times(ratio),
    beside ?? '',
    coordinatorCores === undefined ? '' : percent(coordinatorCores),
  ];
  return narrowTable(head, rows.map(cells));
}

/** The tables and notes of a report as Markdown, under headings of this depth. */
export const reportText = ({ tables, notes }: Report, heading: string): string =>
  blocks(
    ...tables.flatMap((table) => [`${heading} ${table.title}`, tableText(table)]),
    ...notes.flatMap(({ title, lines }) => [`${heading} ${title}`, ['```text', ...lines, '```'].join('\n')]),
  );

const sizesText = (sizes: Readonly<Record<string, number>>) =>
  Object.entries(sizes)
    .map(([name, size]) => `${name} ${size.toLocaleString('en')}`)
    .join(', ');

export function machineText({ cores, memoryGb, platform, node, postgres, settings, commitsPerSecond }: Machine): string {
  const set = Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
  return (
    `${cores} cores for everything, the database included, ${memoryGb} GB of memory, ${platform}; Node ${node}; PostgreSQL ${postgres} with ${set}; ` +
    `one connection commits ${commitsPerSecond.toLocaleString('en')} rows a second one by one.`
  );
}

/** The part of the page between its markers. */
export const figuresText = (all: readonly Recorded[]): string =>
  blocks(
    ...all.flatMap(({ name, summary, recordedOn, rounds, sizes, machine, report }) => [
      `## ${name}`,
      summary,
      `\`pnpm bench ${name}\` on ${recordedOn}; ${rounds} ${rounds === 1 ? 'round' : 'rounds'}; ${sizesText(sizes)}. ${machineText(machine)}`,
      reportText(report, '###'),
    ]),
  );
