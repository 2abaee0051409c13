import {
  errorCatalogue,
  errorKinds,
  type ErrorKind,
  isErrorKind,
  mayAccess,
  type MethodDefinition,
  type MethodName,
  methods,
  type Role,
} from '@baton/protocol';
import { findLeak } from '../../coordinator/src/cli/conformance/find-leak.ts';
import { toNamedParams } from '../../coordinator/src/wire/named-params.ts';
import type { RawAnswer } from './raw-caller.ts';
import { foreignSecret } from './world.ts';

const listed = new Set<ErrorKind>(Object.values(methods).flatMap(({ errors }) => [...errors]));
/** What goes wrong with messages and with us, and must not come of parameters. */
const neverHere: readonly ErrorKind[] = [
  'internal',
  'parse_error',
  'method_unknown',
  'unauthenticated',
  'draining',
  'database_unavailable',
];
/** The kinds that any call may be refused with: those that no method lists, and that the role or the project does not allow it. */
const general = new Set<ErrorKind>(errorKinds.filter((kind) => !listed.has(kind) && !neverHere.includes(kind))).add('access_denied');

export interface Asked {
  readonly method: MethodName;
  readonly level: Role;
  readonly params: unknown;
  /** The frame's own check has refused it: by depth, names or characters. */
  readonly isFaulty: boolean;
}

/** What is wrong with an answer, by the contract; undefined where nothing is. */
export function judgeAnswer(
  { method, level, params, isFaulty }: Asked,
  { answer, text }: { answer: RawAnswer; text: string },
): string | undefined {
  if (text.includes(foreignSecret)) return 'It tells of another project.';
  const definition: MethodDefinition = methods[method];
  const mustBe = isFaulty ? undefined : expectedKind({ method, level, params });
  const { error } = answer;
  if (error === undefined) {
    if (mustBe !== undefined || isFaulty)
      return `It was accepted, and should have been refused${mustBe === undefined ? '' : ` as ${mustBe}`}.`;
    const checked = definition.result.safeParse(answer.result);
    return checked.success ? undefined : `The result is not what the contract says: ${checked.error.message}`;
  }
  const leak = findLeak(text);
  if (leak !== undefined) return `It gives away ${leak}.`;
  const kind = error.data?.['kind'];
  if (!isErrorKind(kind)) return 'The error has no kind.';
  if (error.code !== errorCatalogue[kind].code || error.message !== errorCatalogue[kind].title)
    return 'Code and message are not those of the kind.';
  if (error.data?.['retryable'] !== (errorCatalogue[kind].blame === 'passing')) return 'It says wrongly whether to try again.';
  if (isFaulty) return kind === 'invalid_params' || kind === 'invalid_request' ? undefined : `It is refused as ${kind}.`;
  if (mustBe !== undefined && kind !== mustBe) return `It is refused as ${kind}, not as ${mustBe}.`;
  if (mustBe === undefined && !definition.errors.includes(kind) && !general.has(kind)) return `The method does not list ${kind}.`;
  return undefined;
}

/** How a call is refused before any handler sees it. */
function expectedKind({ method, level, params }: Omit<Asked, 'isFaulty'>): ErrorKind | undefined {
  const definition: MethodDefinition = methods[method];
  if (!mayAccess(level, definition.access)) return 'access_denied';
  if (!fits(definition, params)) return 'invalid_params';
  return definition.session && level !== 'agent' ? 'session_required' : undefined;
}

function fits(definition: MethodDefinition, params: unknown): boolean {
  try {
    return definition.params.safeParse(toNamedParams(definition, params)).success;
  } catch {
    return false;
  }
}
