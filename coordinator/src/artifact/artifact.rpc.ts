import type { HandlersOf } from '../call.ts';
import { type Database, write } from '../db/transaction.ts';
import { holdTicketForEvidence } from '../ticket/evidence.ts';
import { getTicket } from '../ticket/ticket.store.ts';
import { type ArtifactLimits, measureArtifacts, storeArtifacts } from './artifact.service.ts';
import { getArtifact, listArtifacts, listCurrentArtifacts, toArtifact } from './artifact.store.ts';

export const artifactHandlers = (db: Database, limits: ArtifactLimits): HandlersOf<'artifact'> => ({
  'artifact/put': (params, call) =>
    write(db, call, params, async (tx) => {
      const origin = await holdTicketForEvidence(tx, call, params);
      const [measured] = measureArtifacts(limits, [params.artifact]);
      const [stored] = measured === undefined ? [] : await storeArtifacts(tx, [{ origin, measured }]);
      if (stored === undefined) throw new Error('One artifact went in and none came out.');
      return stored;
    }),

  'artifact/get': ({ artifactId }, { em, caller }) => getArtifact(em, caller.projectId, artifactId),

  'artifact/list': async ({ current, ...query }, { em, caller }) => {
    const ticket = await getTicket(em, caller.projectId, query.ticketId);
    if (!current) return listArtifacts(em, query);
    const artifacts = await listCurrentArtifacts(em, ticket.visitId);
    return { artifacts: artifacts.filter(({ type }) => query.type === undefined || type === query.type).map(toArtifact) };
  },
});
