import { z } from 'zod';

/** Many languages write `null` for what is not there. */
const absent = <T>(value: T | null | undefined) => value ?? undefined;

export const saidFinding = z.object({
  severity: z.enum(['fail', 'warn', 'info']),
  code: z.string().min(1),
  message: z.string().min(1),
  path: z.string().nullish().transform(absent),
  line: z.int().nullish().transform(absent),
});

const said = z.object({ findings: z.array(saidFinding).default([]), skip: z.string().min(1).optional() });
export type Said = z.infer<typeof said>;

/** What is read of standard output. More than this holds no findings. */
export const stdoutBytesMax = 1024 * 1024;

export interface Printed {
  /** Cut at `stdoutBytesMax`. */
  readonly stdout: string;
  readonly isCut: boolean;
}

/**
 * What a program said of its findings: standard output that is, as a whole, a JSON object with `findings` or `skip`.
 * Any other output is its own business. Throws where it is such an object with mistakes, or too large to be read: a lost finding
 * would be a pass.
 */
export function readSaid({ stdout, isCut }: Printed): Said {
  if (isCut && beginsLikeFindings(stdout))
    throw new RangeError(
      `The program printed more than ${stdoutBytesMax} bytes on standard output that begin like findings, and its findings cannot be read. Print fewer or shorter findings; where it is a log, have the program write it to standard error.`,
    );
  const value = isCut ? undefined : parseObject(stdout);
  if (value === undefined || !('findings' in value || 'skip' in value)) return { findings: [] };
  const read = said.safeParse(value);
  if (read.success) return read.data;
  throw new TypeError(`The findings on standard output do not fit: ${z.prettifyError(read.error)}`);
}

// A log with an object on each line begins with one that is whole.
function beginsLikeFindings(text: string): boolean {
  const [firstLine = ''] = text.trimStart().split('\n', 1);
  return /^\s*\{\s*"/.test(text) && parseObject(firstLine) === undefined;
}

function parseObject(text: string): object | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
