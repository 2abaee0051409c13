import type { Role } from '@baton/protocol';
import { defineEntity, p } from '@mikro-orm/sql';

/** A token speaks for one project in one role. Only the hash of its secret is kept. */
export const TokenEntity = defineEntity({
  name: 'Token',
  tableName: 'tokens',
  properties: {
    id: p.string().primary(),
    projectId: p.uuid(),
    name: p.string(),
    role: p.string().$type<Role>(),
    secretHash: p.string(),
    createdAt: p.datetime().defaultRaw('clock_timestamp()'),
    expiresAt: p.datetime().nullable(),
    revokedAt: p.datetime().nullable(),
  },
});
