import type { ArtifactWithContent, ContextItem, JsonObject } from '@baton/protocol';
import type { GateFacts } from '@baton/sdk/plugin';

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
export type PluginJob = ValidateJob | SummarizeJob;

/** Why a job was told to stop before it was done. */
export type EndReason = 'timed_out' | 'cancelled';

/** What the coordinator tells the plugin process. A job travels as text: the process only hands it on to a thread. */
export type HostRequest =
  | { readonly kind: 'run'; readonly id: number; readonly job: string; readonly timeoutMs: number }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'stop' };

/** What has become of a job. `text` is a thread's answer, not yet looked at by anyone. */
export type HostAnswer =
  | { readonly kind: 'answered'; readonly text: string }
  | { readonly kind: EndReason }
  /** The thread or the whole process ended under the job, by its own doing or by a neighbour's. */
  | { readonly kind: 'died'; readonly reason: string }
  | { readonly kind: 'too_large' };

export interface HostReply {
  readonly id: number;
  readonly answer: HostAnswer;
}
