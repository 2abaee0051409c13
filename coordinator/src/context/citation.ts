/** How an item is cited: by its number in the ticket. */
export const toCitation = (number: number): string => `c:${number}`;

export const toNumber = (citation: string): number => Number(citation.slice('c:'.length));
