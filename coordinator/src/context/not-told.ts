import type { ContextPack } from '@baton/protocol';

/** So many items are named of those that found no room, and so many of those that are cut. */
const namedMax = 1_000;

type Named = ContextPack['omitted'];

/** Those that come next, and how many more there are. */
export function nameOmitted(omitted: Named): Pick<ContextPack, 'omitted' | 'omittedBeyond'> {
  const beyond = omitted.slice(namedMax);
  return { omitted: omitted.slice(0, namedMax), ...(beyond.length > 0 && { omittedBeyond: sumUp(beyond) }) };
}

/** Of those that are cut, the one that lacks least first, those that lack most, and how many more there are. */
export function nameCut(cut: Named): Pick<ContextPack, 'cut' | 'cutBeyond'> {
  if (cut.length === 0) return {};
  const beyond = cut.slice(0, -namedMax);
  return { cut: cut.slice(-namedMax), ...(beyond.length > 0 && { cutBeyond: sumUp(beyond) }) };
}

const sumUp = (beyond: Named) => ({ items: beyond.length, tokens: beyond.reduce((sum, { tokens }) => sum + tokens, 0) });
