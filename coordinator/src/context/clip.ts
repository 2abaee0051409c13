import { cutText } from '@baton/sdk/connection';

/** So many characters at most. What is cut ends in a mark, and never in the middle of a character, which no database takes. */
export const clip = (text: string, max: number): string => (text.length <= max ? text : `${cutText(text, max - 1)}…`);
