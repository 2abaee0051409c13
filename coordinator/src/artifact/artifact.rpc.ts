import { CoordinatorError } from '@baton/protocol';
import type { HandlersOf } from '../call.ts';
import { noteItems } from '../context/context.service.ts';
import { itemsOfArtifact } from '../context/returned-items.ts';
import { type Database, write } from '../db/transaction.ts';
import { holdTicketForEvidence } from '../ticket/evidence.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import type { ArtifactSchemas } from './artifact-schemas.ts';
import { type ArtifactLimits, measureArtifacts, storeArtifacts } from './artifact.service.ts';
import { getArtifact, listArtifacts, listCurrentArtifacts, toArtifact } from './artifact.store.ts';

export interface ArtifactParts {
  readonly db: Database;
  readonly limits: ArtifactLimits;
  readonly schemas: ArtifactSchemas;
}

export const artifactHandlers = ({ db, limits, schemas }: ArtifactParts): HandlersOf<'artifact'> => ({
  'artifact/put': async (params, call) => {
    const fault = await schemas.findFault(params.ticketId, [params.artifact]);
    return write(db, call, params, async (tx) => {
      const { over, ...origin } = await holdTicketForEvidence(tx, call, params);
      if (over !== undefined)
        throw new CoordinatorError('phase_closed', {
          ticketId: origin.ticketId,
          phase: origin.phase,
          message: `${over} No gate will judge this.`,
        });
      if (fault !== undefined) throw fault;
      const [measured] = measureArtifacts(limits, [params.artifact]);
      const [stored] = measured === undefined ? [] : await storeArtifacts(tx, [{ origin, measured }]);
      if (stored === undefined) throw new Error('One artifact went in and none came out.');
      await noteItems(tx, itemsOfArtifact(origin, { given: params.artifact, stored }));
      return stored;
    });
  },

  'artifact/get': ({ artifactId }, { em, caller }) => getArtifact(em, caller.projectId, artifactId),

  'artifact/list': async ({ current, ...query }, { em, caller }) => {
    const ticket = await getTicket(em, caller.projectId, query.ticketId);
    if (!current) return listArtifacts(em, query);
    const artifacts = await listCurrentArtifacts(em, ticket.visitId);
    return { artifacts: artifacts.filter(({ type }) => query.type === undefined || type === query.type).map(toArtifact) };
  },
});
