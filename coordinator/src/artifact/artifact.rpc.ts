import { CoordinatorError } from '@baton/protocol';
import type { HandlersOf } from '../call.ts';
import { noteReturned } from '../context/context.service.ts';
import { itemsOfArtifact } from '../context/returned-items.ts';
import { type Database, write } from '../db/transaction.ts';
import { holdTicketForEvidence } from '../ticket/evidence.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import type { ArtifactSchemas } from './artifact-schemas.ts';
import { type ArtifactLimits, measureArtifacts, storeArtifacts } from './artifact.service.ts';
import { getArtifact, listArtifacts } from './artifact.store.ts';

export interface ArtifactParts {
  readonly db: Database;
  readonly limits: ArtifactLimits;
  readonly schemas: ArtifactSchemas;
}

export const artifactHandlers = ({ db, limits, schemas }: ArtifactParts): HandlersOf<'artifact'> => ({
  'artifact/put': async (params, call) => {
    const fault = await schemas.findFault(params.ticketId, [params.artifact]);
    return write(db, call, params, async (tx) => {
      const { unjudged, ...origin } = await holdTicketForEvidence(tx, call, params);
      if (unjudged !== undefined) {
        const { ticketId, phase } = origin;
        throw new CoordinatorError('phase_closed', { ticketId, phase, message: unjudged });
      }
      if (fault !== undefined) throw fault;
      const [measured] = measureArtifacts(limits, [params.artifact]);
      const [stored] = measured === undefined ? [] : await storeArtifacts(tx, [{ origin, measured }]);
      if (stored === undefined) throw new Error('One artifact went in and none came out.');
      await noteReturned(tx, [itemsOfArtifact(origin, { given: params.artifact, stored })]);
      // A ticket that could not move may be able to now.
      tx.hints.ticketIds.add(origin.ticketId);
      return stored;
    });
  },

  'artifact/get': ({ artifactId }, { em, caller }) => getArtifact(em, caller.projectId, artifactId),

  'artifact/list': async ({ current, ...query }, { em, caller }) => {
    const { visitId } = await getTicket(em, caller.projectId, query.ticketId);
    return listArtifacts(em, { ...query, newestOf: current ? visitId : undefined });
  },
});
