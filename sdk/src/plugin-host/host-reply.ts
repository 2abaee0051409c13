import { z } from 'zod';
import { toStorable } from '../connection/storable-text.ts';
import { reasonCharsMax } from './job.ts';

const id = z.string();
const reason = z.string().max(reasonCharsMax).transform(toStorable);

/** What the plugin process answers, in the header of a frame. A thread can write to the channel as well: this is a stranger's word. */
export const hostReply = z.discriminatedUnion('kind', [
  /** The body is the thread's answer. */
  z.strictObject({ kind: z.literal('answered'), id }),
  z.strictObject({ kind: z.enum(['timed_out', 'cancelled']), id, forced: z.boolean().optional() }),
  z.strictObject({ kind: z.literal('died'), id, reason }),
  z.strictObject({ kind: z.literal('too_large'), id }),
  /** What keeps a thread from its start may be the machine: that is nobody's harm, and a second try would take as long. */
  z.strictObject({ kind: z.literal('not_run'), id, code: z.literal('not_begun'), message: reason }),
]);
export type HostReply = z.infer<typeof hostReply>;
