/** What an answer must never hold: the inside of the implementation. */
const leaks: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['a line of a stack trace', /\bat [^"\\]*[(/\\][^"]*:\d+:\d+|\\n\s+at |Traceback \(most recent/],
  ['a file of the implementation', /node_modules|file:\/\/\/|\.[cm]?[jt]s:\d+/],
  ['the message of an exception', /\b(Syntax|Type|Range|Reference)Error\b|Unexpected (token|end of|non-whitespace)|Cannot read propert/],
  ['SQL', /\bselect\b[^"]{1,200}\bfrom\b|\binsert into\b|\bupdate\b[^"]{1,200}\bset\b|\bSQLSTATE\b|violates [a-z-]+ constraint/i],
];

/** Says what an answer gives away; undefined where it gives away nothing. */
export const findLeak = (text: string): string | undefined => leaks.find(([, pattern]) => pattern.test(text))?.[0];
