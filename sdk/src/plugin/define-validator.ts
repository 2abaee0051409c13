import type { Artifact, ArtifactWithContent, AttemptOutcome, GrantedLock, Task, Ticket } from '@baton/protocol';
import type { z } from 'zod';

/** What is known about the phase that is judged, as it was when the judging began. Plain JSON, and frozen. */
export interface GateFacts {
  readonly ticket: Ticket;
  readonly phase: string;
  /** The number of the phase visit. */
  readonly visit: number;
  /** The tasks of the visit. */
  readonly tasks: readonly Task[];
  /** Who tried them, in the order in which the attempts began. */
  readonly attempts: readonly AttemptFacts[];
  /** What was stored with one token, and then replaced with another under the same type and name: the last of each token. */
  readonly replaced: readonly Artifact[];
}

/** One try at a task. */
export interface AttemptFacts {
  readonly taskId: string;
  readonly number: number;
  readonly agentName: string;
  /** Absent while it runs. */
  readonly outcome?: AttemptOutcome;
  /** All that it held at some time, whether declared by the task or taken on the way. */
  readonly locks: readonly GrantedLock[];
  /** The name of the token under which it was made, which an admin gave; an agent chooses its name itself. */
  readonly token: string;
}

/** What a finding points at: a path inside the content, or a file and a line of it. */
export interface Place {
  readonly path?: string | undefined;
  readonly line?: number | undefined;
}

/** `code` is for programs and stays the same over releases; `message` is for people and says what would be right. */
export type Report = (code: string, message: string, place?: Place) => void;

export interface ValidateInput<Config> {
  /** As the validator's schema made it from what the workflow says. */
  readonly config: Config;
  /** The current versions of the phase visit, with their content. Plain JSON, and frozen: copy what you want to change. */
  readonly artifacts: readonly ArtifactWithContent[];
  readonly facts: GateFacts;
  /** Aborts when the time is over or nobody waits any more. Shortly after that the thread is ended. */
  readonly signal: AbortSignal;
  /** Reports what holds the gate. One is enough for the verdict `fail`. */
  readonly fail: Report;
  readonly warn: Report;
  readonly info: Report;
  /** Says that there was nothing to judge. A required validator that skips holds the gate. */
  skip(reason: string): void;
}

export interface Validator<Schema extends z.ZodType = z.ZodType> {
  /** What a gate names it by: `use: 'coverage'`. */
  readonly name: string;
  readonly config: Schema;
  /** Passes unless it reports a `fail`. Throwing is the verdict `error`, which is not a pass. */
  validate(input: ValidateInput<z.output<Schema>>): void | Promise<void>;
}

/** A check on the evidence of a phase. Runs in a thread of the plugin process, never in the coordinator. */
export const defineValidator = <Schema extends z.ZodType>(validator: Validator<Schema>): Validator<Schema> => validator;
