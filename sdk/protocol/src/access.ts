import { z } from 'zod';
import type { Access } from './define.ts';

/** What each role may do. A method names the access it needs; nothing else decides. */
export const roleAccess = {
  viewer: ['read'],
  agent: ['read', 'work'],
  operator: ['read', 'work', 'operate'],
  admin: ['read', 'work', 'operate', 'administer'],
} as const satisfies Record<string, readonly Access[]>;

export type Role = keyof typeof roleAccess;
export const roles = Object.keys(roleAccess) as [Role, ...Role[]];
export const role = z
  .enum(roles)
  .meta({ id: 'Role', description: 'What a token may do: a viewer looks, an agent works, an operator steers, an admin overrides rules.' });

export const mayAccess = (of: Role, access: Access): boolean => (roleAccess[of] as readonly Access[]).includes(access);

/** The roles that may, as words: `operator or admin`. */
export const rolesWith = (access: Access): string => roles.filter((of) => mayAccess(of, access)).join(' or ');
