import { type ArtifactWithContent, definePlugin, defineValidator, type GateFacts } from '@baton/sdk/plugin';
import { posix } from 'node:path';
import picomatch from 'picomatch';
import { z } from 'zod';

const files = z.array(z.union([z.string(), z.object({ path: z.string() }).transform(({ path }) => path)]));

const leaseGuard = defineValidator({
  name: 'lease-guard',
  config: z.strictObject({
    /** The type of the artifacts that list what was changed. */
    artifact: z.string().min(1).default('code_changes'),
    /** The field with the list: paths, or objects with a `path`. */
    path: z.string().min(1).default('files'),
    /** Patterns of files that need no lock. */
    ignore: z.array(z.string()).default([]),
  }),
  validate({ config, artifacts, facts, fail, skip }) {
    const changes = artifacts.filter(({ type }) => type === config.artifact);
    if (changes.length === 0) skip(`There is no artifact ${config.artifact}.`);
    const isIgnored = matcher(config.ignore);
    for (const artifact of changes) {
      const changed = files.safeParse((artifact.content as Record<string, unknown> | null | undefined)?.[config.path]);
      if (!changed.success) {
        fail('changes_unreadable', `${config.artifact} "${artifact.name}" has no list of files at ${config.path}.`);
        continue;
      }
      const held = findHeldPatterns(artifact, facts);
      if (held === undefined) {
        fail(
          'attempt_unknown',
          `${config.artifact} "${artifact.name}" comes from no attempt of this phase, so that nobody knows what its author held.`,
        );
        continue;
      }
      const isHeld = matcher(held);
      for (const file of changed.data.map(normalise)) {
        if (isIgnored(file) || isHeld(file)) continue;
        const holds = held.length === 0 ? 'nothing' : held.join(', ');
        fail('file_not_held', `${artifact.author} changed ${file} without an exclusive lock on it; the attempt held ${holds}.`, {
          path: file,
        });
      }
    }
  },
});

/** The files that the attempt behind an artifact held exclusively, as patterns. Undefined where there is no such attempt. */
function findHeldPatterns({ taskId, attempt }: ArtifactWithContent, { attempts }: GateFacts): string[] | undefined {
  const own = attempts.find((each) => each.taskId === taskId && each.number === attempt);
  return own?.locks.flatMap(({ key, mode }) => (key.startsWith('file:') && mode === 'exclusive' ? [key.slice('file:'.length)] : []));
}

/** As lock keys are understood: `*` and `?` within a name, `**` over folders, sets and alternatives. Names that begin with a dot are names. */
const matcher = (patterns: readonly string[]): ((file: string) => boolean) =>
  patterns.length === 0 ? () => false : picomatch([...patterns], { dot: true, noextglob: true, nonegate: true });

const normalise = (file: string): string => posix.normalize(file.replaceAll('\\', '/'));

export default definePlugin({ name: 'lease-guard', apiVersion: 1, validators: [leaseGuard] });
