import { z } from 'zod';
import { type Printed, type Said, saidFinding, stdoutBytesMax } from './read-said.ts';

// Strict: a `finding` or `Findings` that nobody reads would be a pass.
const answer = z
  .strictObject({ findings: z.array(saidFinding).optional(), skip: z.string().min(1).nullish() })
  .refine(({ findings, skip }) => findings !== undefined || typeof skip === 'string', 'neither `findings` nor `skip` is there');

/** The one JSON document that a program has to answer with. Throws for a person to read where it is anything else. */
export function readDocument({ stdout, isCut }: Printed): Said {
  if (isCut) throw new RangeError(`It printed more than the ${stdoutBytesMax} bytes that an answer may have.`);
  if (stdout.trim() === '') throw new TypeError('It printed nothing on standard output, where one JSON document is expected.');
  const read = answer.safeParse(parse(stdout));
  if (!read.success) throw new TypeError(`Its answer on standard output does not fit: ${z.prettifyError(read.error)}`);
  const { findings = [], skip } = read.data;
  return { findings, skip: skip ?? undefined };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TypeError(`What it printed on standard output is not one JSON document: ${reason}`, { cause: error });
  }
}
