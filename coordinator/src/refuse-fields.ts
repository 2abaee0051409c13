import { CoordinatorError, type FieldProblem } from '@baton/protocol';
import { cutText } from '@baton/sdk/connection';

/**
 * How many fields an error names, and how much it says of one, in characters: an answer has to fit into what a connection may hold
 * back, and nobody mends more at a time.
 */
const fieldsMax = 50;
const pathCharsMax = 500;
const messageCharsMax = 2_000;

/** An error about fields of the parameters: the first of them, and how many there are where there are more. */
export function refuseFields(
  kind: 'invalid_params' | 'workflow_invalid' | 'validator_unknown',
  problems: readonly FieldProblem[],
): CoordinatorError {
  const fields = problems
    .slice(0, fieldsMax)
    .map(({ path, message }) => ({ path: cut(path, pathCharsMax), message: cut(message, messageCharsMax) }));
  const message = `The first ${fieldsMax} of ${problems.length} fields are named.`;
  return new CoordinatorError(kind, { fields, ...(problems.length > fieldsMax && { message }) });
}

const cut = (text: string, charsMax: number): string => (text.length > charsMax ? `${cutText(text, charsMax - 1)}…` : text);
