import { withoutCitations } from './citations.ts';

/** Openings and closings after which, or before which, no blank has to stand. */
const opening = /(?:[\p{Ps}\p{Pi}。，、；：！？]\s?|(?<![\p{L}\p{N}])["'`*_•\|]\s?|[.,;:!?…\p{Pe}\p{Pf}]\s|\s\p{Pd}\s|^\p{Pd}\s)$/v;
const closing = /^\s?(?:$|[.,:](?!\p{N})|[;!?…\p{Ps}\p{Pe}\p{Pf}。，、；：！？]|["'`*_\|](?![\p{L}\p{N}]))/v;
/** More characters than either looks at. */
const nearby = 3;

/**
 * Whether a line has a text word for word and as a statement of its own: between marks, brackets or citations, so that nothing goes before a
 * number or follows it that would make another one of it. Blanks and the mark at the end of the text may differ.
 */
export function hasWordForWord(line: string, text: string): boolean {
  const whole = toWords(line);
  const said = toWords(text).replace(/[\s.,;:!?…。，、；：！？]+$/, '');
  for (let at = whole.indexOf(said); at !== -1; at = at === whole.length ? -1 : whole.indexOf(said, at + 1)) {
    const end = at + said.length;
    const isOpened = at === 0 || opening.test(whole.slice(Math.max(0, at - nearby), at));
    if (isOpened && closing.test(whole.slice(end, end + nearby))) return true;
  }
  return false;
}

/** A citation parts what stands before it from what follows. */
const toWords = (text: string): string => withoutCitations(text, ' ; ').replaceAll(/\s+/g, ' ').trim();
