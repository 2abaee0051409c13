/**
 * What is pinned in a ticket has so many tokens together, without the reasons for it: half of what a pack has unless told otherwise,
 * so that whoever pins too much is told, and no reader is refused.
 */
export const pinnedTokensMax = 2_000;
