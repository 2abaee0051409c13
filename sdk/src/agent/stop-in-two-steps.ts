import { TaskAbortedError } from './task-errors.ts';

/** Asks when the signal aborts, and forces when asking has not helped within the grace. Returns what calls both off. */
export function stopInTwoSteps(
  signal: AbortSignal,
  graceMs: number,
  { ask, force }: { readonly ask: (reason: TaskAbortedError) => void; readonly force: () => void },
): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    ask(signal.reason instanceof TaskAbortedError ? signal.reason : new TaskAbortedError('cancelled'));
    timer = setTimeout(force, graceMs);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
  };
}
