import type {
  Client,
  ContextPack,
  ExpandedContextItem,
  GrantedLock,
  LockMode,
  NewArtifactInput,
  NewContextItemInput,
  NewTaskInput,
  TaskState,
} from '@baton/protocol';
import type { AgentLog } from './agent-log.ts';

/** What a task is given beside its input. Lives for one attempt. */
export interface TaskContext {
  /** Aborts when the attempt must stop; its reason is a `TaskAbortedError` whose `reason` says why. Hand it to whatever you wait for. */
  readonly signal: AbortSignal;
  readonly taskId: string;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly ticketId: string;
  readonly phase: string;
  /** The number of the phase visit, which grows each time the ticket enters a phase. */
  readonly visit: number;
  readonly title: string;
  /** The locks that the task declared. They are held as long as the attempt lives; give a resource the fence, so that it can refuse a stale writer. */
  readonly locks: readonly GrantedLock[];
  /** The folder that the agent works in, from BATON_WORKSPACE. */
  readonly workspace: string | undefined;
  /** The whole contract, for what this object has no shorter way for. */
  readonly client: Client;
  readonly context: {
    /** What the earlier phases of the ticket have come to, within a budget of tokens, each line with its source. */
    pack(options?: PackOptions): Promise<ContextPack>;
    /**
     * What is new after an event or an item, such as the `asOf` of an earlier pack, and what no longer holds. What others have
     * noted in this phase meanwhile is part of it.
     */
    since(seen: number | string, options?: PackOptions): Promise<ContextPack>;
    /** One item in full, by its citation, with what it refers to. */
    expand(citation: string): Promise<ExpandedContextItem>;
  };
  readonly log: AgentLog;
  /** Tells how far the attempt is, from 0 to 100. Never waits and never fails; of many in a row only the newest is sent. */
  progress(percentage: number, message?: string): void;
  /** Adds evidence, stored together with the completion. */
  artifact(artifact: NewArtifactInput): void;
  /**
   * Adds an item for later phases and for the next attempt, stored within about a second, and at the latest when this attempt ends:
   * completed, failed, stopped by force, given back by an agent that drains, or by the end of its thread. Where the coordinator has
   * ended it before (cancelled, out of time, its phase left, its session lost), what is left is handed in after that.
   *
   * @throws PermanentTaskError `result_invalid` when it does not fit, or is more than the 1,000 notes or 1 MiB of an attempt.
   */
  note(item: NewContextItemInput): void;
  /** What the task did, in a sentence or two, for people and for later phases. The last one counts. */
  summary(text: string): void;
  /**
   * Takes all of the keys or none. Use it with `await using`, which gives them back.
   *
   * @throws CoordinatorError `lock_conflict` when they are not free within `waitMs`.
   */
  lock(keys: LockWish | readonly LockWish[], options?: LockOptions): Promise<HeldLock>;
  /** Adds tasks to the phase this attempt runs in, as its children. All are added or none. */
  spawn(tasks: readonly NewTaskInput[]): Promise<readonly SpawnedTask[]>;
}

export interface PackOptions {
  /** How long the text may be; 4,000 tokens unless given. */
  readonly budgetTokens?: number;
  /** What the task is after: items that speak of it, or of files it names, come first. */
  readonly query?: string;
}

/** A key for itself is asked for exclusively. */
export type LockWish = string | { readonly key: string; readonly mode?: LockMode; readonly places?: number };

export interface LockOptions {
  /** The lock is given back by itself after this. Without it, it is held until it is given back or the attempt ends. */
  readonly ttlMs?: number;
  /** How long to wait in line; 30 s unless given, at most 60 s. */
  readonly waitMs?: number;
}

export interface HeldLock extends AsyncDisposable {
  /** Of the first key. A lease alone is not mutual exclusion: give the fence to the resource and let it refuse a lower one. */
  readonly fence: number;
  readonly fences: Readonly<Record<string, number>>;
  /** What is held, in key order. Of a range it is the member that was granted, such as `port:3007` of `port:3000-3100`. */
  readonly keys: readonly string[];
  /** Asks the coordinator whether all of it is still held, under these fences. What guards a resource asks it, not the writer. */
  check(): Promise<boolean>;
  /** Aborts when the lock is lost before it was given back. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

export interface SpawnedTask {
  readonly id: string;
  readonly ref?: string | undefined;
  readonly state: TaskState;
}
