import { styleText } from 'node:util';
import { formatDuration } from '../../duration.ts';
import { formatTable } from '../table.ts';
import { countEach, inShort, lastWords } from './brief.ts';
import type { RunReport } from './report.ts';

/** What a run came to, for a person. */
export function formatSummary(report: RunReport): string {
  const sections = [
    formatOutcome(report),
    formatTable(
      ['PHASE', 'VISIT', 'TIME', 'WHY'],
      report.phases.map(({ phase, visit, durationMs, kind, reason }, index) => [
        phase,
        visit,
        isArrival(report, index) ? '' : formatDuration(durationMs),
        kind === 'forward' || kind === undefined ? '' : `${kind}${reason === undefined ? '' : `: ${inShort(reason, whyMax)}`}`,
      ]),
    ),
    formatTasks(report),
    formatGates(report),
    formatArtifacts(report),
    formatWaits(report),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

/** The gates below say the whole. */
const whyMax = 60;
const reasonMax = 300;

function formatOutcome({ ticket, outcome, reason, durationMs, workspace }: RunReport): string {
  const mark = outcome === 'done' ? styleText('green', '✓') : styleText('red', '✗');
  const where = `${mark} ${styleText('bold', ticket.title)}: ${outcome === 'done' ? ticket.phase : outcome}, after ${formatDuration(durationMs)}`;
  return [
    where,
    ...(reason === undefined ? [] : [`  ${inShort(reason, reasonMax)}`]),
    ...(workspace === undefined ? [] : [`  workspace: ${workspace}`]),
  ].join('\n');
}

const isArrival = ({ phases, outcome }: RunReport, index: number): boolean =>
  index === phases.length - 1 && (outcome === 'done' || outcome === 'blocked');

function formatTasks({ tasks, outcome }: RunReport): string {
  // Its agent is gone; the coordinator has not noticed yet.
  const nameOf = (state: string) => (state === 'running' && outcome === 'interrupted' ? 'interrupted' : state);
  const states = Object.entries(tasks.byState).map(([state, count]) => `${count} ${nameOf(state)}`);
  const head = `${tasks.total} task${tasks.total === 1 ? '' : 's'}: ${states.join(', ') || 'none'}; ${tasks.attempts} attempts, ${tasks.retries === 1 ? '1 retry' : `${tasks.retries} retries`}`;
  // What went as it should is in the counts: each task that did not gets a line.
  const notable = tasks.list.filter(({ state, attempts }) => state !== 'completed' || attempts.length > 1);
  const lines = notable.map(({ title, state, attempts, error }) => {
    const earlier = attempts.flatMap(({ error: said, number }) => (said === undefined ? [] : [`attempt ${number}: ${lastWords(said)}`]));
    const why = earlier.length > 0 ? earlier.join('; ') : lastWords(error ?? '');
    return `  ${title}: ${nameOf(state)}${attempts.length > 1 ? ` after ${attempts.length} attempts` : ''}${why === '' ? '' : ` (${why})`}`;
  });
  return [head, ...lines].join('\n');
}

function formatGates({ gates }: RunReport): string {
  const lines = gates.flatMap(({ phase, visit, outcome, reasons }) => [
    `  ${outcome === 'passed' ? styleText('green', '✓') : styleText('red', '✗')} ${phase} (visit ${visit}) ${outcome}`,
    ...countEach(reasons.map(({ message }) => lastWords(message))).map((message) => `      ${message}`),
  ]);
  return lines.length === 0 ? '' : ['Gates', ...lines].join('\n');
}

function formatArtifacts({ artifacts }: RunReport): string {
  if (artifacts.length === 0) return '';
  return formatTable(
    ['ARTIFACT', 'NAME', 'VERSION', 'PHASE', 'BY'],
    artifacts.map(({ type, name, version, phase, visit, author }) => [type, name, version, `${phase} (${visit})`, author]),
  );
}

function formatWaits({ locks }: RunReport): string {
  if (locks.waits.length === 0) return '';
  const lines = locks.waits.map(
    ({ title, key, heldBy, waitedMs }) =>
      `  ${title} waited${waitedMs === undefined ? '' : ` ${formatDuration(waitedMs)}`} for ${key}, held by ${heldBy.join(', ')}`,
  );
  return [`Lock waits: ${formatDuration(locks.waitedMs)}`, ...lines].join('\n');
}
