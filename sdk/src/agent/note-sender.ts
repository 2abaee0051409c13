import { type Claim, type Client, CoordinatorError, type NewContextItem, type Params } from '@baton/protocol';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectionError } from '../connection/wire-errors.ts';
import { isSessionGone } from './session-gone.ts';

/** What the attempt at a claim notes, on its way to the coordinator. */
interface NoteSender {
  take(item: NewContextItem): void;
  /** Sends nothing more. Answers what is not known to be stored, in order: it goes with the report of the attempt's end. */
  stop(): readonly NewContextItem[];
}

/** An attempt that ends sooner sends its notes with its end, in one call. One that lasts loses no more with its process. */
const noteWaitMs = 1_000;

/** Stores notes while their attempt runs, one at a time. What the coordinator refuses, and what could not be sent, stays for the report. */
export function createNoteSender(client: Client, { ticketId, taskId, attempt }: Claim, waitMs = noteWaitMs): NoteSender {
  const left: NewContextItem[] = [];
  const untried = new Set<NewContextItem>();
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const sendAll = async () => {
    for (const item of untried) {
      if (isStopped) return;
      try {
        await client.context.note({ ticketId, taskId, attempt, item });
        left.splice(left.indexOf(item), 1);
      } catch (error) {
        if (isPassing(error)) break;
      }
      untried.delete(item);
    }
    timer = undefined;
    if (untried.size > 0) sendSoon();
  };
  const sendSoon = () => {
    if (!isStopped) timer ??= setTimeout(() => void sendAll(), waitMs);
  };

  return {
    take(item) {
      left.push(item);
      untried.add(item);
      sendSoon();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
      return [...left];
    },
  };
}

/** How long to wait before a note is sent again that a busy coordinator has not taken. */
const lateRetryMs = 1_000;

/** Stores what an attempt has noted that has ended. Returns how many of the items could not be stored. */
export async function sendLate(client: Client, { ticketId, taskId, attempt }: Claim, items: readonly NewContextItem[]): Promise<number> {
  let lost = 0;
  for (const item of items) {
    const note = { ticketId, taskId, attempt, item };
    // Its pin may have no room.
    const plain = { ...note, item: { ...item, pinned: false } };
    const isStored = (await noteUntilTaken(client, note)) || (item.pinned && (await noteUntilTaken(client, plain)));
    if (!isStored) lost += 1;
  }
  return lost;
}

/** One key for all tries, so that a note whose answer was lost is not said again. Returns whether it is stored. */
async function noteUntilTaken(client: Client, note: Params<'context/note'>): Promise<boolean> {
  const idempotencyKey = crypto.randomUUID();
  for (;;) {
    try {
      await client.context.note({ ...note, idempotencyKey });
      return true;
    } catch (error) {
      // An agent whose session has ended registers anew, unless it was fenced for good: then its connection ends.
      if (!isPassing(error) && !isSessionGone(error)) return false;
      await delay(lateRetryMs);
    }
  }
}

/** Whether the same may be taken later. */
export const isPassing = (error: unknown): boolean =>
  error instanceof CoordinatorError ? error.retryable : error instanceof ConnectionError && error.failure === 'lost';
