import { type Durability, type JsonObject, methods, toOpenRpc } from '@baton/protocol';
import type { Handlers } from './call.ts';
import { version } from './version.ts';

/** The document that describes every method of this coordinator. */
export const openRpcDocument = toOpenRpc(methods, version) as unknown as JsonObject;

export function coordinatorHandlers(durability: Durability): Pick<Handlers, 'coordinator/info' | 'rpc.discover'> {
  const startedAt = performance.now();
  return {
    'coordinator/info': async (_params, { caller }) => ({
      name: 'baton',
      version,
      durability,
      uptimeMs: Math.round(performance.now() - startedAt),
      project: caller.projectName,
      role: caller.role,
    }),
    'rpc.discover': async () => openRpcDocument,
  };
}
