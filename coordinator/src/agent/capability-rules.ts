import { CoordinatorError } from '@baton/protocol';
import semver from 'semver';

/**
 * An agent offers names, or names with the version it has: `python@3.12.1`. A task needs names, or names with a range of
 * versions: `python@>=3.11 <4`. Versions and ranges are those of semantic versioning, as npm reads them; a version may leave its
 * last parts out, which count as 0.
 */

/** Whether who offers these can do what needs those: each need is met by at least one offer. */
export const covers = (offered: readonly string[], needed: readonly string[]): boolean => needed.every((need) => isOffered(offered, need));

/** Of what is needed, what no offer meets, in the order given. */
export const uncovered = (offered: readonly string[], needed: readonly string[]): string[] =>
  needed.filter((need) => !isOffered(offered, need));

/** Of what is offered, what has the name of something that is needed in a version; called with what is not met. */
export function otherVersions(offered: readonly string[], missing: readonly string[]): string[] {
  const names = new Set(missing.map((need) => split(need).name));
  return offered.filter((offer) => names.has(split(offer).name));
}

/** The names alone, sorted and each once, as an index looks them up. */
export const namesOf = (capabilities: readonly string[]): string[] => [...new Set(capabilities.map((text) => split(text).name))].sort();

/** @throws CoordinatorError `invalid_params` where a version is none, naming the field, the value and a remedy */
export const checkOffers = (capabilities: readonly string[], path: string): void =>
  refuse(findProblems(capabilities, path, remedyForOffer));

/** @throws CoordinatorError `invalid_params` where a range is none, naming the field, the value and a remedy */
export const checkNeeds = (capabilities: readonly string[], path: string): void => refuse(findNeedProblems(capabilities, path));

export interface CapabilityProblem {
  readonly path: string;
  readonly value: string;
  readonly remedy: string;
}

/** The needs whose ranges are none, each with what to write instead. */
export const findNeedProblems = (capabilities: readonly string[], path: string): CapabilityProblem[] =>
  findProblems(capabilities, path, remedyForNeed);

export const describeProblem = ({ value, remedy }: CapabilityProblem): string => `${value} is no capability. ${remedy}`;

interface Capability {
  readonly name: string;
  /** After the `@`: the version of an offer, the range of a need. */
  readonly version: string | undefined;
}

function split(text: string): Capability {
  const at = text.indexOf('@');
  return at < 0 ? { name: text, version: undefined } : { name: text.slice(0, at), version: text.slice(at + 1) };
}

function isOffered(offered: readonly string[], need: string): boolean {
  const { name, version: range } = split(need);
  if (range === undefined) return offered.some((offer) => offer === name || offer.startsWith(`${name}@`));
  return offered.some((offer) => {
    const { name: offeredName, version } = split(offer);
    // Who does not say which version it has may have any: a need for a range is not met by a guess.
    return offeredName === name && version !== undefined && isWithin(version, range);
  });
}

function isWithin(version: string, range: string): boolean {
  const whole = toVersion(version);
  return whole !== undefined && semver.satisfies(whole, range);
}

/** With the parts that were left out; undefined where it is no version. */
function toVersion(text: string): string | undefined {
  const [, numbers = '', rest = ''] = /^([\d.]+)(.*)$/.exec(text) ?? [];
  const parts = numbers.split('.');
  const whole = [...parts, '0', '0'].slice(0, Math.max(3, parts.length)).join('.');
  return semver.valid(whole + rest) ?? undefined;
}

type FindRemedy = (capability: Capability) => string | undefined;

const remedyForOffer: FindRemedy = ({ name, version }) =>
  version === undefined || toVersion(version) !== undefined
    ? undefined
    : `Write a version of numbers without leading zeros, such as ${name}@3.12.1, or ${name} alone.`;

const remedyForNeed: FindRemedy = ({ name, version }) =>
  version === undefined || semver.validRange(version) !== null
    ? undefined
    : `Write a range of versions, such as ${name}@>=3.11 <4 or ${name}@^24, or ${name} alone where any will do.`;

const findProblems = (capabilities: readonly string[], path: string, findRemedy: FindRemedy): CapabilityProblem[] =>
  capabilities.flatMap((value, index) => {
    const remedy = findRemedy(split(value));
    return remedy === undefined ? [] : [{ path: `${path}[${index}]`, value, remedy }];
  });

function refuse(problems: readonly CapabilityProblem[]): void {
  if (problems.length === 0) return;
  const fields = problems.map((problem) => ({ path: problem.path, message: describeProblem(problem) }));
  throw new CoordinatorError('invalid_params', { fields, problems });
}
