import type { Statement } from '@baton/sdk/plugin';

export interface Sentence {
  readonly statement: Statement;
  /** As it stands there. */
  readonly text: string;
  /** Its place in the statement. */
  readonly position: number;
  /** It says why. */
  readonly isReason: boolean;
  /** Its words, each once, without those that every text has. */
  readonly words: ReadonlySet<string>;
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** The sentences of a statement, those of its reasons last. By the sentence boundaries of Unicode (UAX #29). */
export function splitSentences(statement: Statement): Sentence[] {
  const said = listSentences(statement.text);
  return [...said, ...listSentences(statement.rationale ?? '')].map((text, position) => ({
    statement,
    text,
    position,
    isReason: position >= said.length,
    words: listWords(text),
  }));
}

/** What no space follows goes on: Unicode sees an end in `length>0?0:3`, too. */
function listSentences(text: string): string[] {
  const sentences: string[] = [];
  let begun = '';
  for (const { segment } of segmenter.segment(text)) {
    begun += segment;
    if (!/\s$/.test(segment)) continue;
    sentences.push(begun.trim());
    begun = '';
  }
  return [...sentences, begun.trim()].filter((sentence) => sentence !== '');
}

/** Words that say nothing of what a sentence is about. */
const stopWords = new Set(
  `a about after all also an and any are as at be because been before but by can did do does each for from had has have if in into
  is it its may more must no not of on one only or other our out over should so some such than that the their them then there
  these they this to two under until up was we were what when where which while who will with would`.split(/\s+/),
);

const listWords = (text: string): Set<string> =>
  new Set((text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !stopWords.has(word)));
