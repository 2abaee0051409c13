import { isDeepStrictEqual } from 'node:util';
import type { ArtifactWithContent, JsonObject, JsonValue } from '@baton/protocol';
import type { GateFacts, Validator } from '../plugin/index.ts';
import type { ValidatorVerdict } from '../plugin-host/plugin-host.ts';
import { findUnsendable } from './find-unsendable.ts';
import { makeArtifact, makeFacts } from './make-case.ts';
import { PluginTestError, refuseProblems } from './plugin-test-error.ts';
import { startTestHost, type TestPlace } from './test-host.ts';

/** What a validator is shown. What is left out is filled in with something plausible. */
export interface ValidatorCase {
  /** For the message when it does not hold. */
  readonly name: string;
  readonly config?: JsonObject;
  readonly artifacts?: readonly (Partial<ArtifactWithContent> & { readonly type: string; readonly content?: JsonValue })[];
  readonly facts?: Partial<GateFacts>;
}

export interface InvalidCase extends ValidatorCase {
  /** The codes of the findings that hold the gate, in any order. */
  readonly codes: readonly string[];
}

export interface SkippedCase extends ValidatorCase {
  /** A part of the reason. */
  readonly reason: string;
}

export interface ValidatorCases extends TestPlace {
  /** Each is a pass. */
  readonly valid: readonly ValidatorCase[];
  /** Each is a fail, for these reasons. */
  readonly invalid: readonly InvalidCase[];
  /** Each has nothing to be judged. */
  readonly skipped?: readonly SkippedCase[];
}

/**
 * Runs every case as a coordinator does: in a process of its own, without access to anything but the plugin, twice. Holds the
 * verdicts against what the cases say, and the second against the first: a gate must be able to ask again. A case must be made
 * of what arrives at the plugin as it is (JSON), or it would test something else than it shows.
 * @throws PluginTestError with all that does not hold
 */
export async function testValidator(validator: Pick<Validator, 'name'>, cases: ValidatorCases): Promise<void> {
  await using host = await startTestHost(cases);
  if (!host.hasValidator(validator.name))
    throw new PluginTestError(`The package.json in ${host.folder} does not list the validator ${validator.name} under baton.validators.`);
  const ask = ({ config = {}, artifacts = [], facts }: ValidatorCase) =>
    host.validate({ use: validator.name, config, artifacts: artifacts.map(makeArtifact), facts: makeFacts(facts) });

  async function judge<Case extends ValidatorCase>(
    list: readonly Case[],
    check: (verdict: ValidatorVerdict, each: Case) => string | undefined,
  ) {
    const problems: string[] = [];
    for (const each of list) {
      const { name, config, artifacts, facts } = each;
      const unsendable = findUnsendable({ config, artifacts, facts });
      if (unsendable !== undefined) {
        problems.push(`${name}: the case cannot be sent as JSON: ${unsendable}`);
        continue;
      }
      const [first, second] = [await ask(each), await ask(each)];
      const problem = check(first, each);
      if (problem !== undefined) problems.push(`${name}: ${problem}`);
      if (!isDeepStrictEqual([first.outcome, first.findings], [second.outcome, second.findings]))
        problems.push(`${name}: asked again it says something else: ${describe(first)}, then ${describe(second)}`);
    }
    return problems;
  }

  refuseProblems(validator.name, [
    ...(await judge(cases.valid, judgeValid)),
    ...(await judge(cases.invalid, judgeInvalid)),
    ...(await judge(cases.skipped ?? [], judgeSkipped)),
  ]);
}

const codesOf = ({ findings }: ValidatorVerdict): string[] =>
  findings.filter(({ severity }) => severity === 'fail').map(({ code }) => code);

const judgeValid = (verdict: ValidatorVerdict): string | undefined =>
  verdict.outcome === 'pass' ? undefined : `should pass and is ${describe(verdict)}`;

function judgeInvalid(verdict: ValidatorVerdict, { codes }: InvalidCase): string | undefined {
  if (verdict.outcome !== 'fail') return `should fail and is ${describe(verdict)}`;
  return isDeepStrictEqual(codesOf(verdict).toSorted(), codes.toSorted())
    ? undefined
    : `should fail with ${codes.join(', ')}, and fails with ${describe(verdict)}`;
}

const judgeSkipped = (verdict: ValidatorVerdict, { reason }: SkippedCase): string | undefined =>
  verdict.outcome === 'skipped' && verdict.findings.some(({ message }) => message.includes(reason))
    ? undefined
    : `should be skipped because of "${reason}" and is ${describe(verdict)}`;

const describe = ({ outcome, findings }: ValidatorVerdict): string =>
  [
    outcome,
    ...findings.map(({ code, message, path, line }) => `${code}: ${message}${line === undefined ? '' : ` (${path}:${line})`}`),
  ].join('; ');
