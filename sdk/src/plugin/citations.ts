import type { ContextItem } from '@baton/protocol';

/** `[c:3]`, `[c:3, c:4]` and `[c:3, DESIGN]`, as packs have it. */
const group = /\[c:\d+(?:,[^\][]*)?\]/g;
/** Groups at the end of a line, with nothing between them. */
const lastGroups = /(?:\[c:\d+(?:,[^\][]*)?\])+[.!?]?\s*$/;

const listCitations = (text: string): string[] =>
  (text.match(group) ?? []).flatMap((one) =>
    one
      .slice(1, -1)
      .split(',')
      .map((part) => part.trim())
      .filter((part) => /^c:\d+$/.test(part)),
  );

export const withoutCitations = (text: string, instead = ' '): string => text.replaceAll(group, instead);

/**
 * Reads what a line of a summary cites. Items may have citations in their own words ("as [c:7] says"): where a line repeats them
 * they are a part of what was said. So a citation that stands in the text of an item counts only in the brackets that end a line.
 */
export function createCitationReader(items: readonly ContextItem[]): (line: string) => string[] {
  const quoted = new Set(items.flatMap(({ text, rationale }) => listCitations(`${text}\n${rationale ?? ''}`)));
  return (line) => {
    const end = lastGroups.exec(line)?.index ?? line.length;
    const inside = listCitations(line.slice(0, end)).filter((citation) => !quoted.has(citation));
    return [...inside, ...listCitations(line.slice(end))];
  };
}
