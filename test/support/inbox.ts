import { patienceMs } from './eventually.ts';

export interface Inbox<T> {
  /** Everything so far, in order. */
  readonly items: readonly T[];
  put(item: T): void;
  /** The first item that fits, whether it has come already or is still to come. */
  waitFor(fits: (item: T) => boolean, what: string): Promise<T>;
}

/** Keeps what arrives unasked, and lets a test wait for what it expects. */
export function createInbox<T>(describe: (item: T) => string): Inbox<T> {
  const items: T[] = [];
  const listeners = new Set<(item: T) => void>();

  const waitFor = (fits: (item: T) => boolean, what: string) =>
    new Promise<T>((resolve, reject) => {
      const found = items.find(fits);
      if (found !== undefined) return resolve(found);

      const settle = () => {
        clearTimeout(timer);
        listeners.delete(listener);
      };
      const listener = (item: T) => {
        if (!fits(item)) return;
        settle();
        resolve(item);
      };
      const timer = setTimeout(() => {
        settle();
        reject(new Error(`Waited ${patienceMs} ms for ${what}. What came: ${items.map(describe).join(', ') || 'nothing'}.`));
      }, patienceMs);
      listeners.add(listener);
    });

  const put = (item: T) => {
    items.push(item);
    for (const listener of listeners) listener(item);
  };
  return { items, put, waitFor };
}
