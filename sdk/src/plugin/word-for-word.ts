import { withoutCitations } from './citations.ts';

/** Where a sentence begins: at the beginning of the line, after a mark that ends another, a label or a citation, and in a cell of its own. */
const opening = /(?<=(?:^(?:[\p{Pd}*•]\s)?|[.!?…:]\s|;[\s.:]{0,3}|[。！？；：]\s?|(?:^|\s)\|\s)["'`*_\p{Ps}\p{Pi}]{0,4})/vy;
/** Where it ends: at the end of the line, at a mark that ends it or a citation, and with its cell. What encloses it is closed before or after. */
const closing =
  /["'`*_\p{Pe}\p{Pf}]{0,4}(?:[\s.,:;!?…。，、；：！？]*(?:$|[;。！？；]|[.!?…]["'`*_\p{Pe}\p{Pf}]{0,4}(?:\s|$))|\s\|(?:\s|$))/vy;
/**
 * Two figures with nothing between them but marks and blanks may be read as one number. A citation, which is a semicolon by then, parts
 * them, and so does the bracket that reasons open.
 */
const figureBefore = /(?<=\p{N}[^\p{L}\p{N}\p{Ps};]{0,9})/vy;
const figureAfter = /[^\p{L}\p{N}\p{Ps};]{0,9}\p{N}/vy;

/**
 * Whether a line has a text word for word and as a sentence of its own. Where the text begins or ends with a figure, no other figure stands
 * beyond the mark that parts the sentences. Blanks and the mark at the end of the text may differ.
 */
export function hasWordForWord(line: string, text: string): boolean {
  const whole = toWords(line);
  const said = toWords(text).replace(/[\s.,:;!?…。，、；：！？]+$/, '');
  for (let at = whole.indexOf(said); at !== -1; at = at === whole.length ? -1 : whole.indexOf(said, at + 1)) {
    const end = at + said.length;
    if (fits(opening, whole, at) && fits(closing, whole, end) && !isInsideNumber(whole, at) && !isInsideNumber(whole, end)) return true;
  }
  return false;
}

const isInsideNumber = (whole: string, at: number): boolean => fits(figureBefore, whole, at) && fits(figureAfter, whole, at);

function fits(pattern: RegExp, whole: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(whole);
}

/** A citation parts what stands before it from what follows. */
const toWords = (text: string): string => withoutCitations(text, ' ; ').replaceAll(/\s+/g, ' ').trim();
