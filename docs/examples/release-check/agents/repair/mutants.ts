import { parseSync, Visitor } from 'oxc-parser';
import { lineOf } from '../project/source-module.ts';

/** One small change of a module, of a kind that programmers often have to make. */
export interface Mutant {
  readonly path: string;
  readonly line: number;
  /** What the change is, in words. */
  readonly rule: string;
  readonly before: string;
  readonly after: string;
  readonly start: number;
  readonly end: number;
}

const comparisons: Readonly<Record<string, readonly string[]>> = {
  '<': ['<='],
  '<=': ['<'],
  '>': ['>='],
  '>=': ['>'],
  '===': ['!=='],
  '!==': ['==='],
};
const logic: Readonly<Record<string, string>> = { '&&': '||', '||': '&&', '??': '||' };
const rounding = ['floor', 'round', 'ceil', 'trunc'];

/** All single changes that may mend a module, the likeliest kinds first. */
export function findMutants(path: string, text: string): Mutant[] {
  const found: { rank: number; mutant: Mutant }[] = [];
  const add = (rank: number, rule: string, [start, end]: readonly [number, number], after: string) =>
    found.push({ rank, mutant: { path, line: lineOf(text, start), rule, before: text.slice(start, end), after, start, end } });
  const between = (from: number, to: number, operator: string): readonly [number, number] => {
    const start = text.indexOf(operator, from);
    return [start, Math.min(start + operator.length, to)];
  };

  new Visitor({
    CallExpression({ callee, arguments: [first] }) {
      if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier') return;
      const { name, start, end } = callee.property;
      if (name === 'replace' && first?.type === 'Literal' && typeof first.value === 'string')
        add(0, 'replace every occurrence, not the first', [start, end], 'replaceAll');
      if (callee.object.type === 'Identifier' && callee.object.name === 'Math' && rounding.includes(name)) {
        for (const other of rounding.filter((candidate) => candidate !== name)) add(2, 'round another way', [start, end], other);
      }
    },
    BinaryExpression({ operator, left, right }) {
      const span = between(left.end, right.start, operator);
      for (const other of comparisons[operator] ?? [])
        add(other.length === operator.length ? 4 : 1, 'move the limit of a comparison', span, other);
      if ((operator === '+' || operator === '-') && right.type === 'Literal' && right.value === 1)
        add(1, 'an offset of one less', [left.end, right.end], '');
    },
    LogicalExpression({ operator, left, right }) {
      const other = logic[operator];
      if (other !== undefined) add(3, 'combine conditions another way', between(left.end, right.start, operator), other);
    },
  }).visit(parseSync(path, text).program);

  return found.toSorted((a, b) => a.rank - b.rank).map(({ mutant }) => mutant);
}

export const applyMutant = (text: string, { start, end, after }: Mutant): string => text.slice(0, start) + after + text.slice(end);
