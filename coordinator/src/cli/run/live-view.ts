import { styleText } from 'node:util';
import { formatDuration } from '../../duration.ts';
import { showControls } from '../show-controls.ts';
import { countEach, lastWords } from './brief.ts';
import type { PhaseNames, RunState, TaskView, VisitState } from './run-state.ts';

/** The run as it stands, for a terminal of this width. `now` in ms since 1970. */
export function render(state: RunState, columns: number, now: number): string {
  const tasks = Object.values(state.tasks);
  const sections = [
    [renderHead(state, now)],
    state.phases.all.flatMap((phase) => renderPhase(state, phase, now)),
    firstOf(tasks.filter(({ state }) => state === 'running').map((task) => renderRunning(task, now))),
    firstOf(tasks.filter(isWaitingForLock).map(renderWaiting)),
    firstOf(state.locks.filter(({ holders, waiters }) => holders.length + waiters.length > 0).map(renderLock)),
    renderGates(state),
    firstOf(state.approvals.map(renderApproval)),
    [renderCounts(state, tasks)],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => line(columns)).join('\n'))
    .join('\n\n');
}

/** Of many lines of one kind the first, so that the whole stays on one screen. */
const firstOf = (lines: readonly Line[]): readonly Line[] =>
  lines.length <= linesMax ? lines : [...lines.slice(0, linesMax - 1), line([` … and ${lines.length - linesMax + 1} more`, 'dim'])];

const linesMax = 8;

/** A line is cut to the width as plain text and coloured after that, so that no colour is cut in two. */
type Line = (columns: number) => string;
type Colour = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

const line =
  (...parts: readonly (readonly [text: string, colour?: Colour])[]): Line =>
  (columns) => {
    let left = columns - 1;
    return parts
      .map(([given, colour]) => {
        const text = showControls(given);
        const shown = text.length > left ? `${text.slice(0, Math.max(left - 1, 0))}${left > 0 ? '…' : ''}` : text;
        left -= shown.length;
        return colour === undefined || shown === '' ? shown : styleText(colour, shown);
      })
      .join('');
  };

const renderHead = ({ title, startedAt }: RunState, now: number): Line =>
  line([title, 'bold'], [startedAt === undefined ? '' : `  ${formatDuration(now - startedAt)}`, 'dim']);

function renderPhase({ visits, phases, gates }: RunState, phase: string, now: number): Line[] {
  const own = visits.filter((visit) => visit.phase === phase);
  const isCurrent = visits.at(-1)?.phase === phase;
  if (own.length === 0 && phase === phases.blocked) return [];
  const refused = gates.some((gate) => gate.phase === phase && gate.outcome === 'failed');
  const spent = own.reduce((sum, visit) => sum + durationOf(visit, now), 0);
  const [mark, colour] = markOf(phase, { isCurrent, isSeen: own.length > 0, phases });
  const visitsText = own.length > 1 ? `  ${own.length} visits` : '';
  return [
    line(
      [` ${mark} `, colour],
      [phase.padEnd(16), isCurrent ? 'bold' : colour],
      [own.length === 0 || phases.final.includes(phase) ? '' : formatDuration(spent).padStart(9), 'dim'],
      [visitsText, 'yellow'],
      [refused ? '  gate refused' : '', 'yellow'],
    ),
  ];
}

function markOf(
  phase: string,
  { isCurrent, isSeen, phases }: { isCurrent: boolean; isSeen: boolean; phases: PhaseNames },
): [string, Colour] {
  if (!isSeen) return ['·', 'dim'];
  if (isCurrent && phase === phases.blocked) return ['✗', 'red'];
  return isCurrent && !phases.final.includes(phase) ? ['▶', 'cyan'] : ['✓', 'green'];
}

const durationOf = ({ enteredAt, leftAt }: VisitState, now: number): number => Math.max(0, (leftAt ?? now) - enteredAt);

function renderRunning({ title, agentName = '', attempt, progress, startedAt }: TaskView, now: number): Line {
  const spent = startedAt === undefined ? '' : formatDuration(Math.max(0, now - startedAt));
  const percentage = progress?.percentage === undefined ? '' : `  ${Math.round(progress.percentage)} %`;
  return line(
    [' ● ', 'cyan'],
    [toColumn(title)],
    [`  ${agentName}`, 'cyan'],
    [attempt > 1 ? `  attempt ${attempt}` : '', 'yellow'],
    [`  ${spent}`, 'dim'],
    [percentage],
    [`  ${progress?.message ?? ''}`, 'dim'],
  );
}

/** Of one width, so that what stands behind it is always seen. */
const toColumn = (title: string): string => (title.length > titleWidth ? `${title.slice(0, titleWidth - 1)}…` : title.padEnd(titleWidth));
const titleWidth = 40;

const isWaitingForLock = ({ state, waitsFor }: TaskView): boolean => state === 'ready' && waitsFor !== undefined;

const renderWaiting = ({ title, waitsFor }: TaskView): Line =>
  line(
    [' … ', 'yellow'],
    [toColumn(title)],
    [`  waits for ${waitsFor?.key ?? ''}`, 'yellow'],
    [waitsFor?.holders.length ? `, held by ${waitsFor.holders.join(', ')}` : '', 'dim'],
  );

const renderLock = ({ key, fence, holders, waiters }: RunState['locks'][number]): Line =>
  line(
    [' ⚿ ', 'dim'],
    [key],
    [`  held by ${countNames(holders.map(({ agentName }) => agentName)) || 'nobody'} (fence ${fence})`, 'dim'],
    [waiters.length === 0 ? '' : `  ${waiters.length} waiting`, 'yellow'],
  );

/** `developer ×3, tester` */
const countNames = (names: readonly string[]): string =>
  [...Map.groupBy(names, (name) => name)].map(([name, all]) => (all.length === 1 ? name : `${name} ×${all.length}`)).join(', ');

const gateMarks = { passed: [' ✓ ', 'green'], failed: [' ✗ ', 'red'], waiting: [' ? ', 'yellow'] } as const;

/** The newest verdict of each phase, with all its reasons. */
function renderGates({ gates }: RunState): Line[] {
  const newest = new Map(gates.map((gate) => [gate.phase, gate]));
  return [...newest.values()].flatMap(({ phase, outcome, reasons }) => [
    line(gateMarks[outcome], [`gate ${phase} ${outcome}`]),
    ...countEach(reasons.map(lastWords)).map((reason) => line([`     ${reason}`, outcome === 'waiting' ? 'yellow' : 'red'])),
  ]);
}

const renderApproval = ({ id, phase, name, given, count }: RunState['approvals'][number]): Line =>
  line(
    [' ? ', 'yellow'],
    [`${phase} waits for the approval "${name}" (${given} of ${count})`, 'yellow'],
    [`  baton approve ${id}`, 'bold'],
  );

const countedStates = ['completed', 'running', 'ready', 'blocked', 'failed', 'skipped', 'cancelled'] as const;

function renderCounts({ retries, agents }: RunState, tasks: readonly TaskView[]): Line {
  const counts = countedStates.flatMap((state) => {
    const count = tasks.filter((task) => task.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return line(
    [`${plural(tasks.length, 'task')}: ${counts.join(', ') || 'none yet'}`],
    [`  ${retries === 1 ? '1 retry' : `${retries} retries`}  ${plural(agents.length, 'agent')}`, 'dim'],
  );
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
