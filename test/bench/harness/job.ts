/** What a job in a worker process is given. */
export interface JobContext<Order, Told> {
  /** Says that all is prepared, and settles with the order to begin. Rejects once the job is told to stop. */
  begin(): Promise<Order>;
  tell(told: Told): void;
  /** Aborts when the job is to end. */
  readonly signal: AbortSignal;
}

/** The default export of a file in `test/bench/workers`. A rejection after the signal has aborted is its end like any other. */
export type Job<Params, Order = void, Told = void> = (params: Params, context: JobContext<Order, Told>) => Promise<void>;

export type ToWorker =
  | { readonly kind: 'start'; readonly job: number; readonly name: string; readonly params: unknown }
  | { readonly kind: 'go'; readonly job: number; readonly order: unknown }
  | { readonly kind: 'stop'; readonly job: number };

export type ToParent =
  | { readonly kind: 'ready'; readonly job: number }
  | { readonly kind: 'told'; readonly job: number; readonly told: unknown }
  | { readonly kind: 'ended'; readonly job: number; readonly problem?: string };
