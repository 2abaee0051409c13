import type { Token } from '../token.ts';
import { at, ids } from './cast.ts';

/** Speaks for the program that files tickets in the shop's project. */
export const clerkToken: Token = {
  id: ids.clerkToken,
  name: 'clerk',
  role: 'operator',
  project: 'shop',
  state: 'active',
  createdAt: at('08:59:00'),
};

export const newClerkToken = {
  params: { name: 'clerk', role: 'operator', project: 'shop' },
  result: { ...clerkToken, token: `baton_${ids.clerkToken}_q3Zr5XfYt1mB8sVd0kLw7uJpN4hGc2eT6oAiRxKvE9Q` },
} as const;
