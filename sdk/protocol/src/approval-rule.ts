import { z } from 'zod';
import { mayAccess, role } from './access.ts';
import { name } from './values.ts';

export const approvalRule = z
  .strictObject({
    name: z.string().min(1).max(128).default('approval').describe('What is approved, such as `release`. One name once in a gate.'),
    count: z.int().min(1).max(100).default(1).describe('How many must approve, each with a token of another name.'),
    by: z
      .array(name)
      .min(1)
      .max(100)
      .optional()
      .describe(
        'Who may: names of tokens. Agents choose their own names, which count for nothing here. Without it anybody whose role fits.',
      ),
    roles: z
      .array(role)
      .min(1)
      .refine((each) => each.every((wanted) => mayAccess(wanted, 'work')), 'A viewer only looks: name agent, operator or admin.')
      .optional()
      .describe('The roles that may, and those that may all that one of them may. Without it, and without `by`, operators and admins.'),
    authorsMay: z
      .boolean()
      .default(false)
      .describe('Whether the tokens may approve that stored artifacts of the ticket or completed its tasks.'),
    expiresInMs: z.int().min(1_000).max(31_536_000_000).optional().describe('How long it may be waited for, in ms. Without it for ever.'),
    onRefusal: z
      .enum(['refuse', 'count'])
      .default('refuse')
      .describe('Whether one refusal refuses it, or it is refused only when those who are left cannot make up the number.'),
  })
  .refine(({ by, count }) => by === undefined || new Set(by).size >= count, {
    path: ['count'],
    message: 'More must approve than `by` names: name more, or ask for fewer.',
  })
  .meta({ id: 'ApprovalRule', description: 'An approval that a gate waits for: how many, by whom, until when.' });
export type ApprovalRule = z.infer<typeof approvalRule>;
