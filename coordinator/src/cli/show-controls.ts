import { flag, unseen } from '../unseen.ts';

const colour = String.raw`\u001B\[(?:0|1|2|22|3\d|9\d)m`;
const special = new RegExp(`(${colour}|${flag}|[\\n\\t])|${unseen}`, 'gv');

/**
 * A text as a terminal may have it: what others wrote neither moves the cursor nor hides or turns anything. Colours, tabs and breaks of lines stay;
 * any other character that is obeyed or not seen is shown as JSON writes it, so that JSON stays the same value.
 */
export const showControls = (text: string): string => text.replace(special, (found, allowed?: string) => allowed ?? toEscapes(found));

/** One for each half of a character that has two. */
const toEscapes = (found: string): string =>
  Array.from({ length: found.length }, (_, index) => `\\u${found.charCodeAt(index).toString(16).padStart(4, '0')}`).join('');
