import type { ArtifactWithContent, Criterion, JsonValue } from '@baton/sdk/plugin';
import { compare } from './compare.ts';
import { describe, describeWanted } from './describe.ts';
import { readPath } from './read-path.ts';
import { relax } from './relax.ts';

export interface Said {
  /** An `info` holds nothing: it tells that a small sample was given its margin. */
  readonly severity: 'fail' | 'info';
  readonly code: 'artifact_missing' | 'criterion_failed' | 'small_sample';
  readonly message: string;
}

/** Judges every artifact of the criterion's type. No `fail` means that there was at least one, and that all are good. */
export function judgeCriterion(criterion: Criterion, artifacts: readonly ArtifactWithContent[]): Said[] {
  const judged = artifacts.filter(({ type }) => type === criterion.artifact);
  if (judged.length === 0) {
    const message = `${criterion.artifact}: there is no such artifact, wanted ${criterion.path} ${describeWanted(criterion)}`;
    return [{ severity: 'fail', code: 'artifact_missing', message }];
  }
  return judged.flatMap((artifact) => {
    // The name matters where it tells two artifacts of one type apart.
    const who = artifact.name === 'default' ? artifact.type : `${artifact.type} (${artifact.name})`;
    const said = judgeContent(criterion, artifact.content);
    return said === undefined ? [] : [{ ...said, message: `${who}: ${said.message}` }];
  });
}

function judgeContent(criterion: Criterion, content: JsonValue | undefined): Said | undefined {
  const { path } = criterion;
  if (content === undefined)
    return failed(`its content is kept elsewhere, so that ${path} cannot be read, wanted ${describeWanted(criterion)}`);
  const found = readPath(content, path);
  if (found === undefined && criterion.optional === true) return undefined;
  const is = found === undefined ? `${path} is missing` : `${path} is ${describe(found)}`;
  const problem = compare(criterion, found);
  if (problem === undefined) return undefined;

  const relaxed = relax(criterion, content);
  if (relaxed === undefined) return failed(`${is}, wanted ${describeWanted(criterion)}${problem === '' ? '' : ` (${problem})`}`);
  const wanted = `${describeWanted(relaxed.criterion)} (${relaxed.because})`;
  return compare(relaxed.criterion, found) === undefined
    ? { severity: 'info', code: 'small_sample', message: `${is}, which is enough: wanted ${wanted}` }
    : failed(`${is}, wanted ${wanted}`);
}

const failed = (message: string): Said => ({ severity: 'fail', code: 'criterion_failed', message });
