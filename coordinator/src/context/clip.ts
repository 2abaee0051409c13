/** So many characters at most. What is cut ends in a mark, and never in the middle of a character, which no database takes. */
export const clip = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max - 1).replace(/\p{Surrogate}$/u, '')}…`;
