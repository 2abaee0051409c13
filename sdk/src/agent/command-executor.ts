import type { Claim, Client } from '@baton/protocol';
import type { ChildProcess } from 'node:child_process';
import { readCommandNotes, readCommandResult } from './command-result.ts';
import type { AttemptControl, Executor } from './executor.ts';
import { type ExitCodes, meaningOf } from './exit-codes.ts';
import { clip, failedOutcome, type TaskOutcome } from './outcome.ts';
import { killGroup, type ProgramEnd, runProgram } from './run-program.ts';
import { stopInTwoSteps } from './stop-in-two-steps.ts';

export interface CommandExecutorParts {
  readonly client: Client;
  readonly command: readonly [string, ...string[]];
  readonly cwd: string | undefined;
  readonly exitCodes: ExitCodes;
  /** Whole: nothing is added but what names the task. */
  readonly env: NodeJS.ProcessEnv;
  /** With it each program is given the context of earlier phases within this budget. */
  readonly contextTokens: number | undefined;
}

const stdoutBytesMax = 4 * 1024 * 1024;
/** How much of what is wrong with notes is logged, in characters. */
const problemsShownMax = 2_000;

/** Does tasks with a program: the task as JSON on its standard input, the result as JSON on its standard output. */
export function createCommandExecutor({ client, command, cwd, exitCodes, env, contextTokens }: CommandExecutorParts): Executor {
  const running = new Set<ChildProcess>();
  const killAll = () => running.forEach((child) => killGroup(child, 'SIGKILL'));
  // The last word, for an end of the process that waits for nothing. The programs lead groups of their own and would live on.
  process.on('exit', killAll);

  const execute = async (claim: Claim, { signal, graceMs, log, note }: AttemptControl): Promise<TaskOutcome> => {
    const context =
      contextTokens === undefined
        ? undefined
        : await client.context.get({ ticketId: claim.ticketId, forPhase: claim.phase, budgetTokens: contextTokens }, { signal });
    let child: ChildProcess | undefined;
    const stop = stopInTwoSteps(signal, graceMs, {
      ask: () => child !== undefined && killGroup(child, 'SIGTERM'),
      force: () => child !== undefined && killGroup(child, 'SIGKILL'),
    });
    try {
      signal.throwIfAborted();
      const end = await runProgram({
        command,
        cwd,
        env: { ...env, BATON_TASK_ID: claim.taskId, BATON_ATTEMPT: String(claim.attempt) },
        stdin: `${JSON.stringify({ task: claim, ...(context === undefined ? {} : { context }) })}\n`,
        stdoutBytesMax,
        onStderrLine: (line) => log.info(line),
        onStarted(started) {
          child = started;
          running.add(started);
        },
      });
      if ('stdout' in end) {
        const { notes, problems } = readCommandNotes(end.stdout);
        notes.forEach(note);
        if (problems.length > 0)
          log.error(`${problems.length} of the notes that the program printed are left out: ${clip(problems.join(' '), problemsShownMax)}`);
      }
      // A program that was told to stop may well exit with 0; that it was told so says that it has not done its task.
      return signal.aborted ? failedOutcome('aborted', 'The program was told to stop.') : toOutcome(command[0], end, exitCodes);
    } finally {
      stop();
      if (child !== undefined) running.delete(child);
    }
  };

  return {
    execute: (claim, control) =>
      execute(claim, control).catch((error: unknown) =>
        failedOutcome('task_failed', error instanceof Error ? error.message : String(error)),
      ),
    loseLock: () => undefined,
    async close() {
      process.off('exit', killAll);
      killAll();
    },
  };
}

/** What the end of a program means for its task. */
export function toOutcome(program: string, end: ProgramEnd, exitCodes: ExitCodes): TaskOutcome {
  switch (end.kind) {
    case 'notStarted':
      return failedOutcome('command_not_started', `${program} could not be started: ${end.message}`, { permanent: true });
    case 'tooMuchOutput':
      return failedOutcome(
        'result_too_large',
        `${program} printed more than ${stdoutBytesMax} bytes; put large results into files and name them by uri.`,
        { permanent: true },
      );
    case 'killed':
      return failedOutcome('command_killed', withTail(`${program} was ended by ${end.signal}`, end.stderrTail));
    case 'exited': {
      const meaning = meaningOf(end.code, exitCodes);
      if (meaning === 'success') return readCommandResult(end.stdout);
      return failedOutcome('command_failed', withTail(`${program} exited with code ${end.code}`, end.stderrTail), {
        permanent: meaning === 'permanent',
        details: { exitCode: end.code },
      });
    }
  }
}

const withTail = (message: string, stderrTail: string) => (stderrTail === '' ? `${message}.` : `${message}:\n${stderrTail}`);
