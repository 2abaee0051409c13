import { z } from 'zod';
import { CommandError } from './shell.ts';

interface Expected {
  /** Where they were given. */
  readonly given: string;
  /** Whose ids they have to be. */
  readonly of: string;
  /** Which command lists the right ones. */
  readonly listedBy: string;
}

/** Refuses what is no id, before anybody is asked. */
export function parseIds(ids: readonly string[], { given, of, listedBy }: Expected): readonly string[] {
  const wrong = ids.find((id) => !z.uuid().safeParse(id).success);
  if (wrong !== undefined)
    throw new CommandError(`${given} ${wrong} is not the id of ${of}; \`${listedBy}\` lists them with their ids.`, { exitCode: 2 });
  return ids;
}
