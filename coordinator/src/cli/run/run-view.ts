import type { RecordedEvent } from '@baton/protocol';
import { createLogUpdate } from 'log-update';
import { printLine, type Shell } from '../shell.ts';
import { showControls } from '../show-controls.ts';
import { render } from './live-view.ts';
import { formatElapsed, toPlainLine } from './plain-lines.ts';
import type { RunState } from './run-state.ts';

/** How a run shows itself while it goes on. */
export interface RunView {
  /** An event has come, and this is the state after it. */
  event(event: RecordedEvent, state: RunState): void;
  /** The state has changed without an event. */
  update(state: RunState): void;
  /** Something about the run itself: an agent that died, a task that nobody can do. */
  say(text: string): void;
  /** What an agent wrote. */
  agentLine(name: string, text: string): void;
  /** Leaves what is shown as it is; afterwards standard output belongs to others. */
  end(): void;
}

export interface ViewOptions {
  readonly json?: boolean;
  readonly plain?: boolean;
}

/** A view that redraws itself on a terminal; else a line for each event, on standard error where standard output is for the report. */
export function createRunView(shell: Shell, { json = false, plain = false }: ViewOptions): RunView {
  if (json) return createPlainView(shell.stderr);
  return shell.stdout.isTTY === true && !plain ? createLiveView(shell.stdout) : createPlainView(shell.stdout);
}

function createPlainView(stream: NodeJS.WritableStream): RunView {
  const openedAt = Date.now();
  let startedAt: number | undefined;
  return {
    event(event, state) {
      startedAt = state.startedAt;
      const line = toPlainLine(event, startedAt ?? openedAt);
      if (line !== undefined) printLine(stream, line);
    },
    update: () => undefined,
    say: (text) => printLine(stream, `${formatElapsed(Date.now() - (startedAt ?? openedAt))}  ${text}`),
    agentLine: (name, text) => printLine(stream, `         ${name} | ${withoutHead(name, text)}`),
    end: () => undefined,
  };
}

/** Without the time and the name at the head of a line of an agent's log: both stand beside it. */
function withoutHead(name: string, text: string): string {
  const [, level = '', rest = ''] = /^\d{4}-\S+Z ([A-Z]+) (.*)$/.exec(text) ?? [];
  return rest.startsWith(`${name} `) ? `${level} ${rest.slice(name.length + 1)}` : text;
}

/** Elapsed times run on between events. */
const redrawMs = 250;

function createLiveView(stdout: Shell['stdout']): RunView {
  const log = createLogUpdate(stdout);
  let latest: RunState | undefined;
  let isOver = false;
  const draw = () => {
    if (latest !== undefined) log(render(latest, stdout.columns ?? 80, Date.now()));
  };
  const timer = setInterval(draw, redrawMs);
  const update = (state: RunState) => {
    latest = state;
    draw();
  };
  return {
    event: (_, state) => update(state),
    update,
    say: (text) => log.persist(showControls(text)),
    agentLine: (name, text) => log.persist(showControls(`${name} | ${withoutHead(name, text)}`)),
    end() {
      if (isOver) return;
      isOver = true;
      clearInterval(timer);
      draw();
      log.done();
    },
  };
}
