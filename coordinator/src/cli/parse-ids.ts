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
    throw new CommandError(
      isBeginning(wrong)
        ? `${given} ${wrong} is only the beginning of an id: give the whole of it, as \`${listedBy}\` lists it.`
        : `${given} ${wrong} is not the id of ${of}; \`${listedBy}\` lists them with their ids.`,
      { exitCode: 2 },
    );
  return ids;
}

/** It looks like an id that somebody has cut. */
export const isBeginning = (text: string): boolean => /^[0-9a-f]{4,8}(-[0-9a-f]{0,12}){0,4}(…|\.\.\.)?$/i.test(text);
