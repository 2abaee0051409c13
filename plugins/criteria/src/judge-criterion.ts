import type { ArtifactWithContent, Criterion } from '@baton/sdk/plugin';
import { compare } from './compare.ts';
import { describe, describeWanted } from './describe.ts';
import { readPath } from './read-path.ts';

export interface Shortcoming {
  readonly code: 'artifact_missing' | 'criterion_failed';
  readonly message: string;
}

/** Judges every artifact of the criterion's type. No shortcoming means that there was at least one, and that all are good. */
export function judgeCriterion(criterion: Criterion, artifacts: readonly ArtifactWithContent[]): Shortcoming[] {
  const judged = artifacts.filter(({ type }) => type === criterion.artifact);
  if (judged.length === 0) {
    return [
      {
        code: 'artifact_missing',
        message: `${criterion.artifact}: there is no such artifact, wanted ${criterion.path} ${describeWanted(criterion)}`,
      },
    ];
  }
  return judged.flatMap((artifact) => {
    const problem = judgeArtifact(criterion, artifact);
    // The name matters where it tells two artifacts of one type apart.
    const who = artifact.name === 'default' ? artifact.type : `${artifact.type} (${artifact.name})`;
    return problem === undefined ? [] : [{ code: 'criterion_failed', message: `${who}: ${problem}` } as const];
  });
}

function judgeArtifact(criterion: Criterion, { content }: ArtifactWithContent): string | undefined {
  const { path } = criterion;
  if (content === undefined) return `its content is kept elsewhere, so that ${path} cannot be read, wanted ${describeWanted(criterion)}`;
  const found = readPath(content, path);
  const problem = compare(criterion, found);
  if (problem === undefined) return undefined;
  const is = found === undefined ? `${path} is missing` : `${path} is ${describe(found)}`;
  return `${is}, wanted ${describeWanted(criterion)}${problem === '' ? '' : ` (${problem})`}`;
}
