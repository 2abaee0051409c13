import { parseSync } from 'oxc-parser';

/** One documented expectation: an expression, what it gives or throws, and the statements it builds on. */
export interface Example {
  /** Statements that stand before it in the same block. */
  readonly setup: readonly string[];
  readonly expression: string;
  readonly expected:
    | { readonly kind: 'value'; readonly code: string }
    | { readonly kind: 'error'; readonly name: string; readonly message: string };
}

/**
 * Reads a block of code whose comments say what an expression gives: `add(1, 2); // → 3` (or `// => 3`), or
 * `add(); // throws TypeError: two numbers, please`. A block that is no valid code has no examples.
 */
export function parseExamples(code: string): Example[] {
  const { program, comments, errors } = parseSync('example.ts', code);
  if (errors.length > 0) return [];
  const setup: string[] = [];
  const examples: Example[] = [];
  for (const statement of program.body) {
    const source = code.slice(statement.start, statement.end);
    const comment = comments.find(({ start }) => start >= statement.end && !code.slice(statement.end, start).includes('\n'));
    const expected = comment === undefined ? undefined : parseExpectation(comment.value.trim());
    if (statement.type === 'ExpressionStatement' && expected !== undefined) {
      examples.push({ setup: [...setup], expression: source.replace(/;$/, ''), expected });
    } else if (statement.type !== 'ImportDeclaration') setup.push(source);
  }
  return examples;
}

function parseExpectation(comment: string): Example['expected'] | undefined {
  const [, value] = /^(?:→|=>)\s*(.+)$/s.exec(comment) ?? [];
  // Parsed as it will be used, so that `→ about three` is no expectation.
  if (value !== undefined) return parseSync('value.ts', `(${value})`).errors.length === 0 ? { kind: 'value', code: value } : undefined;
  const [, name, message] = /^throws\s+(\w+):\s*(.+)$/s.exec(comment) ?? [];
  return name === undefined || message === undefined ? undefined : { kind: 'error', name, message };
}
