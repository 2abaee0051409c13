import { type NewContextItem, newContextItem, type NewContextItemInput } from '@baton/protocol';
import { findJsonFault, TooDeepError } from '../connection/json-faults.ts';
import { checkResult, misfitError } from './check-result.ts';
import { PermanentTaskError } from './task-errors.ts';

/** As many as one report takes. */
const notesMax = 1_000;
/** A quarter of a message of the usual size: a failure with all its notes fits into one. */
const notesBytesMax = 1024 * 1024;
/** Of the 32 levels of a message, what surrounds a note takes a few. */
const depthMax = 24;

/**
 * Takes the notes of one attempt and hands each on, once it is sure that the coordinator will take all of them together.
 *
 * @throws PermanentTaskError `result_invalid`, and hands nothing on
 */
export function createNoteTaker(handOn: (item: NewContextItem) => void): (note: NewContextItemInput) => void {
  let count = 0;
  let bytes = 0;

  return (note) => {
    const fault = faultOf(note);
    if (fault !== undefined) throw misfitError('context item', [fault]);
    const item = checkResult('context item', newContextItem, note);
    const size = Buffer.byteLength(JSON.stringify(item));
    if (count + 1 > notesMax || bytes + size > notesBytesMax) {
      throw new PermanentTaskError(
        `An attempt takes ${notesMax} notes of ${notesBytesMax} bytes together; it has ${count} of ${bytes} bytes, and one of ${size} bytes is too much. Put what is long into an artifact and refer to it.`,
        { code: 'result_invalid' },
      );
    }
    count += 1;
    bytes += size;
    handOn(item);
  };
}

function faultOf(item: NewContextItemInput) {
  try {
    return findJsonFault(item, depthMax);
  } catch (error) {
    if (error instanceof TooDeepError) return { path: 'data', message: `It nests deeper than ${depthMax} levels.` };
    throw error;
  }
}
