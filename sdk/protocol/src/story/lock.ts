import type { Lock } from '../lock.ts';
import { ids } from './cast.ts';

const holder = { agentId: ids.agent, agentName: 'mender', sessionId: ids.session, fence: 1, heldMs: 19, expiresInMs: 29_981 };

/** The agent's own, for half a minute. */
export const heldDatabase: Lock = { key: 'db:test', fence: 1, holders: [{ ...holder, mode: 'exclusive' }], waiters: [] };

/** Others may hold it as well. */
export const heldPort: Lock = { key: 'port:5432', fence: 1, holders: [{ ...holder, mode: 'shared' }], waiters: [] };

/** Four may hold it at a time; nobody does yet. */
export const definedPool: Lock = { key: 'pool:gpu', fence: 0, holders: [], waiters: [], places: 4 };
