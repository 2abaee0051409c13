import type { PackCounter } from './pack-counter.ts';
import { writeHeading } from './pack-sections.ts';

export interface Line {
  readonly heading: string;
  readonly tokens: number;
  /** Of what is no item. */
  readonly text?: string;
}

/** How many of the first fit. */
export function countFitting(lines: readonly Line[], room: Room, budgetTokens: number): number {
  const tried = room.copy();
  const end = lines.findIndex(({ heading, tokens }) => !tried.takeIfFits(heading, tokens, budgetTokens));
  return end === -1 ? lines.length : end;
}

/** What all of them take, beside nothing else. */
export function countTogether(lines: readonly Line[], count: PackCounter['count']): number {
  const room = createRoom(count);
  for (const { heading, tokens } of lines) room.take(heading, tokens);
  return room.spent();
}

export interface Room {
  take(heading: string, tokens: number): void;
  /** Whether it did. */
  takeIfFits(heading: string, tokens: number, budgetTokens: number): boolean;
  spent(): number;
  copy(): Room;
}

/** Counts each line and heading by itself: together they are never more. */
export function createRoom(count: PackCounter['count'], opened: ReadonlySet<string> = new Set(), spentBefore = 0): Room {
  const headings = new Set(opened);
  let spent = spentBefore;
  const after = (heading: string, tokens: number) => spent + tokens + (headings.has(heading) ? 0 : count(`\n${writeHeading(heading)}`));
  const take = (heading: string, tokens: number) => {
    spent = after(heading, tokens);
    headings.add(heading);
  };
  return {
    take,
    takeIfFits(heading, tokens, budgetTokens) {
      const isFitting = after(heading, tokens) <= budgetTokens;
      if (isFitting) take(heading, tokens);
      return isFitting;
    },
    spent: () => spent,
    copy: () => createRoom(count, headings, spent),
  };
}
