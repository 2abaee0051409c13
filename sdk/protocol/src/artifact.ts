import { z } from 'zod';
import { event, method, readParams, writeParams } from './define.ts';
import { ids } from './story/cast.ts';
import { testResults } from './story/evidence.ts';
import { id, jsonValue, limit, nextCursor, phaseName, sha256, timestamp } from './values.ts';

export const artifactType = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[a-z][a-z0-9_.-]*$/, 'Lower-case letters, digits and _ . - only, such as test_coverage.')
  .meta({ id: 'ArtifactType', description: 'What kind of evidence this is; gates ask for it by this name.' });

export const newArtifact = z
  .strictObject({
    type: artifactType,
    name: z
      .string()
      .min(1)
      // In bytes at most three times as much, which an index of the store still takes.
      .max(800)
      .default('default')
      .describe('What tells two artifacts of one type apart, often a path. Storing the same name again makes the next version.'),
    mediaType: z.string().max(255).default('application/json'),
    content: jsonValue.optional().describe('The evidence itself. Either this or `uri`.'),
    uri: z
      .url('Give an absolute URI, such as https://example.com/coverage.json.')
      .max(2_048)
      .optional()
      .describe('Where the evidence lies, if it is too large to be stored. A gate cannot look into it.'),
    sha256: sha256.optional().describe('Of what lies at `uri`, and needed with it.'),
    sizeBytes: z.int().min(0).optional().describe('Of what lies at `uri`.'),
  })
  .refine(({ content, uri }) => (content === undefined) !== (uri === undefined), {
    message: 'Give either content or uri.',
    path: ['content'],
  })
  .refine(({ uri, sha256 }) => uri === undefined || sha256 !== undefined, {
    message: 'An artifact with a uri needs its sha256.',
    path: ['sha256'],
  })
  .meta({
    id: 'NewArtifact',
    description:
      'A piece of evidence. Content is inline JSON up to the limit of the coordinator; what is larger stays where it is and is named by `uri` with its digest and size.',
  });
export type NewArtifact = z.infer<typeof newArtifact>;
export type NewArtifactInput = z.input<typeof newArtifact>;

export const artifact = z
  .object({
    id,
    ticketId: id,
    phase: phaseName,
    visit: z.int32(),
    type: z.string(),
    name: z.string(),
    version: z.int32().describe('1, 2, 3 … for each type and name in a visit.'),
    mediaType: z.string(),
    sha256,
    sizeBytes: z.int(),
    uri: z.string().optional(),
    taskId: id.optional(),
    attempt: z.int32().optional(),
    author: z.string().describe('The name of the agent that made it, or of the token that stored it. Agents choose their names.'),
    createdAt: timestamp,
    token: z
      .string()
      .describe('The name of the token that stored it, which an admin gave: whose it is, where that matters, and who may not approve it.'),
  })
  .meta({ id: 'Artifact', description: 'A piece of evidence as it is stored, without its content.' });
export type Artifact = z.infer<typeof artifact>;

export const artifactWithContent = artifact
  .extend({ content: jsonValue.optional() })
  .meta({ id: 'ArtifactWithContent', description: 'A piece of evidence with its content, unless that lies elsewhere.' });
export type ArtifactWithContent = z.infer<typeof artifactWithContent>;

const origin = {
  taskId: id.optional().describe('The task that it came from.'),
  attempt: z.int32().min(1).optional().describe('The attempt at this task. A stale one is refused.'),
  visit: z
    .int32()
    .min(1)
    .optional()
    .describe('The visit that it was made for, as `ticket/get` told it. Refused with `version_conflict` once the ticket is in another.'),
};

export const artifactMethods = {
  'artifact/put': method({
    summary:
      'Stores an artifact for the current phase visit of a ticket, as the next version of its type and name. The same content in the same place, from the same task and token, makes no new version. Whoever stores it without a task names the visit that it was made for.',
    access: 'work',
    session: false,
    idempotent: false,
    params: writeParams({ ticketId: id, artifact: newArtifact, ...origin }),
    result: artifact,
    errors: ['ticket_not_found', 'limit_exceeded', 'claim_stale', 'artifact_invalid', 'phase_closed', 'version_conflict'],
    example: {
      params: { ticketId: ids.ticket, artifact: { type: 'test_results', name: 'unit', content: { passed: 41, failed: 0 } } },
      result: testResults,
    },
  }),
  'artifact/get': method({
    summary: 'Returns one artifact with its content.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({ artifactId: id }),
    result: artifactWithContent,
    errors: ['artifact_not_found'],
    example: { params: { artifactId: ids.testResults }, result: { ...testResults, content: { passed: 41, failed: 0 } } },
  }),
  'artifact/list': method({
    summary: 'Lists artifacts without their content, oldest first; with `current` only the newest versions of the current visit.',
    access: 'read',
    session: false,
    idempotent: true,
    params: readParams({
      ticketId: id,
      type: artifactType.optional(),
      current: z.boolean().default(false).describe('Only the newest versions of the current visit: what its gate will judge.'),
      after: id.optional(),
      limit: limit.default(100),
    }),
    result: z.object({ artifacts: z.array(artifact), next: nextCursor }),
    errors: ['ticket_not_found'],
    example: { params: { ticketId: ids.ticket, type: 'test_results' }, result: { artifacts: [testResults] } },
  }),
};

export const artifactEvents = {
  'artifact.stored': event({
    summary: 'A new version of an artifact was stored.',
    data: z.object({
      artifactId: id,
      ticketId: id,
      phase: phaseName,
      type: z.string(),
      name: z.string(),
      version: z.int32(),
      sha256,
      author: z.string(),
    }),
  }),
};
