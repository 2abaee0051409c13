import type { DoorName, Sent } from './conversation.ts';

/** Where an implementation listens, and who asks. */
export interface DoorOptions {
  readonly url: string;
  readonly token: string;
  /** An answer that takes longer will not come: the call hangs. */
  readonly timeoutMs: number;
  /** How long to listen for what should not come, after a later call has been answered. */
  readonly quietMs: number;
}

/** What came back for the frames of a round. */
export interface Heard {
  readonly texts: readonly string[];
  /** The code with which the implementation closed the connection. */
  readonly closedWith?: number | undefined;
}

/** One connection, or as much of one as the door knows. */
export interface Line {
  /** Sends the frames at once and returns all that comes back, waiting for at least as many texts as expected. */
  exchange(sent: readonly Sent[], expected: { readonly texts: number; readonly close: boolean }): Promise<Heard>;
  close(): Promise<void>;
}

export interface Door {
  readonly name: DoorName;
  open(): Promise<Line>;
}
