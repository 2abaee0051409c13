/** The two ways into an implementation. */
export const doorNames = ['websocket', 'http'] as const;
export type DoorName = (typeof doorNames)[number];

/** What goes to the implementation: the bytes of a text frame or of an HTTP body, or of a binary frame. */
export interface Sent {
  readonly kind: 'text' | 'binary';
  readonly bytes: Buffer;
}

/** What must come back. `pattern` is JSON with wildcards. */
export type Expected =
  | { readonly kind: 'answer'; readonly pattern: unknown }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'close'; readonly code: number };

/** Frames that are sent at once, and all that must come back for them, in any order. */
export interface Round {
  /** In its file, from 1. */
  readonly line: number;
  readonly sent: readonly Sent[];
  readonly expected: readonly Expected[];
}

/** Rounds on one fresh connection. */
export interface Conversation {
  readonly file: string;
  readonly title: string;
  readonly doors: readonly DoorName[];
  readonly rounds: readonly Round[];
}
