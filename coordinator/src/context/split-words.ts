const betweenWords = /[\n\r\p{Z}\p{P}]+/u;

/** Scripts whose words stand side by side without a space. */
const unspaced = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u;

// Which language it is does not matter: dictionaries are chosen by script.
const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

/** The words of a text, and the parts of paths and identifiers, for a search. */
export const splitWords = (text: string): string[] =>
  text
    .split(betweenWords)
    .flatMap((word) => (unspaced.test(word) ? Array.from(segmenter.segment(word), ({ segment }) => segment) : [word]));
