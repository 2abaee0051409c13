import { withoutCitations } from './citations.ts';

/** Numbers in English words, and in Chinese and Japanese characters. In the words of other languages they are words like any other. */
const inWords =
  /(?<!\p{L})(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\p{L}+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|[mb]illions?|dozens?|once|twice|half|double|triple)(?!\p{L})|[〇零一二两兩三四五六七八九十百千万萬億亿]/iu;

export const hasNumber = (text: string): boolean => /\p{N}/u.test(text) || inWords.test(text);

const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

/** The words that tell what a text is about, in small letters: short ones, such as articles and particles, are in every text. */
export const listWords = (text: string): string[] =>
  Array.from(segmenter.segment(withoutCitations(text)), ({ segment }) => segment.toLowerCase()).filter(isTelling);

/** Whether there may be any; tells it of most texts without a look at each of their words. */
export const hasWords = (text: string): boolean => /\p{L}{4}/u.test(withoutCitations(text)) || listWords(text).length > 0;

// Of the writings of Europe four letters; others say as much in two, but for the particles of Japanese.
const isTelling = (word: string): boolean =>
  /\p{L}{4}/u.test(word) || ((word.match(otherLetters)?.length ?? 0) >= 2 && !/^\p{Script=Hiragana}{1,2}$/u.test(word));

const otherLetters = /[\p{L}--[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]]/gv;
