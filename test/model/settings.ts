/** Which histories a model-based test tries. */
export interface ModelSettings {
  readonly seed: number;
  readonly runs: number;
  /** The one history to be tried again, as a failure tells it. */
  readonly path?: string;
  readonly timeoutMs: number;
}

/** How many commands a history has at most; a good part of them finds nothing to do and is passed over. */
export const usualCommandsMax = 100;

/** Always the same histories in the tests, so that they fail for what was changed; more and others in a soak. */
export function readModelSettings(): ModelSettings {
  const runs = Number(process.env['BATON_MODEL_RUNS'] ?? 10);
  const path = process.env['BATON_MODEL_PATH'];
  return {
    runs,
    seed: Number(process.env['BATON_MODEL_SEED'] ?? 20_261_123),
    timeoutMs: 60_000 + runs * 60_000,
    ...(path !== undefined && { path }),
  };
}
