import type { ArtifactWithContent, ContextItem, JsonObject } from '@baton/protocol';
import type { GateFacts } from '../plugin/index.ts';

/** Of the reason for which a thread has ended. */
export const reasonCharsMax = 1_000;

/** Where a plugin's code lies. Only a plugin thread imports it. */
export interface PluginSource {
  /** The package's name. */
  readonly name: string;
  readonly packageFile: string;
  /** Set where the plugin was named by a file; otherwise the package says what its entry is. */
  readonly entryFile?: string;
}

interface JobBase {
  readonly plugin: PluginSource;
  /** The name of the validator or summarizer. */
  readonly use: string;
  readonly config: JsonObject;
}
export interface ValidateJob extends JobBase {
  readonly verb: 'validate';
  readonly artifacts: readonly ArtifactWithContent[];
  readonly facts: GateFacts;
}
export interface SummarizeJob extends JobBase {
  readonly verb: 'summarize';
  readonly items: readonly ContextItem[];
  readonly budgetTokens: number;
}
/** Asks what the code offers, to be held against what the package.json says. */
export interface DescribeJob {
  readonly verb: 'describe';
  readonly plugin: PluginSource;
}
export type PluginJob = ValidateJob | SummarizeJob | DescribeJob;

/** Why a job was told to stop before it was done. */
export type EndReason = 'timed_out' | 'cancelled';

/** One job for the plugin process. What it is asked for is the body of its frame: the process only hands it on to a thread. */
export interface RunRequest {
  readonly kind: 'run';
  readonly id: string;
  /** The number of the evidence that belongs to it, which was sent before. */
  readonly evidence: number | undefined;
  readonly timeoutMs: number;
}

/**
 * What the coordinator tells the plugin process, in the header of a frame. Evidence that several jobs share is sent once, as a
 * body, and kept until it is dropped.
 */
export type HostRequest =
  | RunRequest
  | { readonly kind: 'keep'; readonly evidence: number }
  | { readonly kind: 'drop'; readonly evidence: number }
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'stop' };

/** What has become of a job. */
export type HostAnswer =
  /** `text` is a thread's answer, not yet looked at by anyone. */
  | { readonly kind: 'answered'; readonly text: string }
  /** `forced`: it went on when it was told to stop, and its thread was ended under it. */
  | { readonly kind: EndReason; readonly forced?: boolean | undefined }
  /** The thread or the whole process ended under the job, by its own doing or by a neighbour's. */
  | { readonly kind: 'died'; readonly reason: string }
  | { readonly kind: 'too_large' }
  /** No plugin was asked. */
  | { readonly kind: 'not_run'; readonly code: string; readonly message: string };
