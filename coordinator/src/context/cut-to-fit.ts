import type { ContextItem } from '@baton/protocol';
import { clip } from './clip.ts';
import type { Room } from './pack-room.ts';
import { headingOf, writeLine } from './pack-sections.ts';

/** With less room than this the beginning of a text says nothing. */
const tokensMin = 48;

/**
 * An item without its reasons, and with as much of its text as fits. Undefined where there is no room for any; whatever there was room for
 * within a budget there is within a larger one.
 */
export function cutToFit(
  item: ContextItem,
  { room, budgetTokens, count }: { readonly room: Room; readonly budgetTokens: number; readonly count: (text: string) => number },
): ContextItem | undefined {
  const isFitting = (tokens: number) => room.copy().takeIfFits(headingOf(item), tokens, budgetTokens);
  if (!isFitting(tokensMin)) return undefined;
  const { rationale: _, ...bare } = item;
  const cutAt = (characters: number): ContextItem => ({ ...bare, text: clip(item.text, characters) });
  let [fitting, tooMany] = [0, item.text.length + 1];
  while (tooMany - fitting > 1) {
    const middle = (fitting + tooMany) >> 1;
    if (isFitting(count(writeLine(cutAt(middle))))) fitting = middle;
    else tooMany = middle;
  }
  return fitting === 0 ? undefined : cutAt(fitting);
}
