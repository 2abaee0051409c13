import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../shell.ts';

/** What a text file should be, for the messages: `a plan`, and the name that such a file usually has. */
export interface Wanted {
  readonly what: string;
  readonly usualName: string;
}

/** Reads a text file that the user named. */
export async function readText(file: string, { what, usualName }: Wanted): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CommandError(describeUnread(file, cause, { what, usualName }), { exitCode: 2, cause });
  });
  // What is left of bytes that are no text, or stands in none.
  if (/[\0\uFFFD]/.test(text)) throw new CommandError(`${file} is not a text file; ${what} is YAML, in UTF-8.`, { exitCode: 2 });
  return text;
}

function describeUnread(file: string, cause: unknown, { what, usualName }: Wanted): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return `There is no file ${file}.`;
  if (code === 'EISDIR') return `${file} is a folder. Name ${what.replace(/^an? /, 'the ')} in it, such as ${join(file, usualName)}.`;
  return `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
}
