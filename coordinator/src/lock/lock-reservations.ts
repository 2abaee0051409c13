import { type LockTable, type Members, type Reservation, spanOf } from './lock-table.ts';

/**
 * The members of a space as the table has them, read once until the table changes. Each who waits for a range is kept its
 * lowest free members, in the order of arrival.
 */
export function membersOf(table: LockTable, space: string): Members {
  const known = table.members.get(space) ?? readMembers(table, space);
  table.members.set(space, known);
  return known;
}

function readMembers(table: LockTable, space: string): Members {
  const held = createSkipper();
  const taken = createSkipper();
  for (const { key } of table.grants) {
    const span = spanOf(table, key);
    if (span.space !== space || span.number === undefined) continue;
    held.take(span.number);
    taken.take(span.number);
  }
  const reserved = new Map<number, Reservation>();
  for (const [place, wait] of table.waits.entries()) {
    const { space: in_, range } = spanOf(table, wait.key);
    if (in_ !== space || range === undefined) continue;
    let missing = wait.places;
    for (let member = taken.next(range.low); member <= range.high && missing > 0; member = taken.next(member)) {
      reserved.set(member, { range: wait.key, place });
      taken.take(member);
      missing -= 1;
    }
  }
  return { nextFree: held.next, reserved };
}

/** Numbers of which some are taken. The next that is not is found without walking over those between. */
function createSkipper() {
  const behind = new Map<number, number>();
  const next = (number: number): number => {
    let free = number;
    for (let step = behind.get(free); step !== undefined; step = behind.get(free)) free = step;
    // Whoever comes by here again goes straight to the end of the way.
    for (let at = number; at !== free;) {
      const step = behind.get(at) ?? free;
      behind.set(at, free);
      at = step;
    }
    return free;
  };
  return { take: (number: number) => void behind.set(number, number + 1), next };
}
