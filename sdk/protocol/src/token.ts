import { z } from 'zod';
import { role } from './access.ts';
import { event, method, readParams, writeParams } from './define.ts';
import { clerkToken, newClerkToken } from './story/token.ts';
import { cursor, id, limit, name, nextCursor, timestamp } from './values.ts';

/** Whether a token is still accepted. */
export const tokenStates = ['active', 'expired', 'revoked'] as const;
export const tokenState = z.enum(tokenStates).meta({ id: 'TokenState' });

export const token = z
  .object({
    id,
    name: z.string().describe('For people: who or what it was made for.'),
    role,
    project: z.string().describe('The name of the project that it speaks for.'),
    state: tokenState,
    createdAt: timestamp,
    expiresInMs: z
      .number()
      .optional()
      .describe('How much longer it is accepted; absent where it does not expire, or is not accepted any more.'),
  })
  .meta({ id: 'Token', description: 'What speaks for a role in one project. Its secret is told when it is made and kept nowhere.' });
export type Token = z.infer<typeof token>;

const project = name.optional().describe("Another project than the token's own may be named by an admin of the project `default` only.");

export const tokenMethods = {
  'token/create': method({
    summary:
      'Makes a token of a role in a project and tells it this once. Sent again with the same idempotency key, the token gets a new secret, since the first is kept nowhere.',
    access: 'administer',
    session: false,
    idempotent: false,
    params: writeParams({
      name,
      role,
      project,
      expiresInMs: z
        .int()
        .min(1_000)
        .max(10 * 366 * 86_400_000)
        .optional()
        .describe('For how long it is accepted, in ms; until it is revoked unless given.'),
    }),
    result: token.extend({
      token: z.string().describe('`baton_<id>_<secret>`, to be sent as `Authorization: Bearer …`.'),
    }),
    errors: ['project_not_found', 'token_not_found'],
    example: newClerkToken,
  }),
  'token/list': method({
    summary: 'Lists the tokens of a project in the order in which they were made, those that are over too. Secrets are not among it.',
    access: 'administer',
    session: false,
    idempotent: true,
    params: readParams({ project, after: cursor.optional(), limit: limit.default(100) }),
    result: z.object({ tokens: z.array(token), next: nextCursor }),
    errors: ['project_not_found'],
    example: { params: { project: 'shop' }, result: { tokens: [clerkToken] } },
  }),
  'token/revoke': method({
    summary: 'Revokes a token for good. Its connections are closed within five seconds.',
    access: 'administer',
    session: false,
    idempotent: true,
    params: writeParams({ tokenId: id }),
    result: token,
    errors: ['token_not_found'],
    example: { params: { tokenId: clerkToken.id }, result: { ...clerkToken, state: 'revoked' } },
  }),
};

const tokenEvent = { tokenId: id, name: z.string(), role, project: z.string(), by: z.string() };

export const tokenEvents = {
  'token.created': event({ summary: 'An admin made a token.', data: z.object(tokenEvent) }),
  'token.revoked': event({ summary: 'An admin revoked a token.', data: z.object(tokenEvent) }),
};
