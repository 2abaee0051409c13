import { z } from 'zod';

/** What is said of a program that is run. */
export const programConfig = z.strictObject({
  /** The program and its arguments. No shell reads them. */
  command: z.tuple([z.string().min(1)], z.string(), {
    error: 'It takes a list with the program and each of its arguments, such as [npm, test].',
  }),
  /** Where it runs. Without one, where the coordinator was started. */
  cwd: z.string().min(1).optional(),
  /** Beside what it needs to be found and to run. */
  env: z.record(z.string(), z.string()).default({}),
  /** Without one the time of the gate's validator is all there is. */
  timeoutMs: z.int().min(1).optional(),
});

/** Aborts when nobody waits any more, or the program's own time is over. */
export const endOf = (signal: AbortSignal, timeoutMs: number | undefined): AbortSignal =>
  timeoutMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);

/** How a program ended, with what it complained last. */
export const describeEnd = (
  [...command]: readonly string[],
  { how, stderrTail }: { readonly how: string; readonly stderrTail: string },
) => {
  const tail = stderrTail.trim();
  return `${command.join(' ')} ended with ${how}${tail === '' ? '.' : `:\n${tail}`}`;
};
