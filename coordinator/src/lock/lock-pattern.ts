import { type CharSet, complementOf, intersect, oneChar, pickChar, segmentChars } from './char-set.ts';
import type { Pattern, Segment, Token } from './pattern-syntax.ts';

interface Edge {
  readonly set: CharSet;
  readonly to: number;
}

/** A nondeterministic automaton over the characters of a path, without empty moves. It begins in state 0. */
export interface Automaton {
  readonly isAbsolute: boolean;
  readonly edges: readonly (readonly Edge[])[];
  readonly accepts: readonly boolean[];
}

const slash = oneChar('/');
const dot = oneChar('.');
const notDot = intersect(segmentChars, complementOf(dot));
const anything: CharSet = [[0, 0x10_ff_ff]];

export function compilePattern({ isAbsolute, segments }: Pattern): Automaton {
  const edges: Edge[][] = [[]];
  const skips: number[][] = [[]];
  const addState = () => {
    skips.push([]);
    return edges.push([]) - 1;
  };
  const connect = (from: number, set: CharSet, to = addState()) => {
    edges[from]?.push({ set, to });
    return to;
  };
  const skip = (from: number, to: number) => {
    skips[from]?.push(to);
    return to;
  };
  const addToken = (from: number, token: Token): number => {
    if (token.kind === 'char') return connect(from, token.set);
    const to = addState();
    if (token.kind === 'many') {
      connect(from, segmentChars, from);
      return skip(from, to);
    }
    for (const alternative of token.alternatives) skip(alternative.reduce(addToken, skip(from, addState())), to);
    return to;
  };
  const addSegment = (from: number, segment: Segment, isLast: boolean): number => {
    if (segment !== '**') {
      const end = segment.reduce(addToken, skip(from, addState()));
      return isLast ? end : connect(end, slash);
    }
    // Any number of characters: that no segment is empty is seen to by the path that goes along.
    const inside = connect(from, anything, skip(from, addState()));
    connect(inside, anything, inside);
    return isLast ? inside : skip(from, connect(inside, slash));
  };
  const end = segments.reduce((from, segment, index) => addSegment(from, segment, index === segments.length - 1), 0);

  const closures = skips.map((_, state) => reach(state, skips));
  return {
    isAbsolute,
    edges: closures.map((states) => states.flatMap((state) => edges[state] ?? [])),
    accepts: closures.map((states) => states.includes(end)),
  };
}

function reach(from: number, skips: readonly (readonly number[])[]): number[] {
  const seen = new Set([from]);
  for (const state of seen) for (const to of skips[state] ?? []) seen.add(to);
  return [...seen];
}

/** How far the present segment of a path is. One that is empty, `.` or `..` does not occur in a canonical path. */
const segmentStates = { empty: 0, dot: 1, dots: 2, name: 3 } as const;
const stateCount = 4;

/** The characters that lead on from a segment in this state, one for each state they lead to. */
function stepsFrom(state: number, set: CharSet): { readonly char: string; readonly to: number }[] {
  const steps = [];
  const inName = pickChar(intersect(set, notDot));
  if (inName !== undefined) steps.push({ char: inName, to: segmentStates.name });
  const isDotNews = state !== segmentStates.name || inName === undefined;
  if (isDotNews && intersect(set, dot).length > 0) steps.push({ char: '.', to: Math.min(state + 1, segmentStates.name) });
  if (state === segmentStates.name && intersect(set, slash).length > 0) steps.push({ char: '/', to: segmentStates.empty });
  return steps;
}

/**
 * A shortest path that both match, undefined where there is none. Exact: all pairs of states that some path leads to are
 * visited, breadth first.
 */
export function findCommonPath(a: Automaton, b: Automaton): string | undefined {
  if (a.isAbsolute !== b.isAbsolute) return undefined;
  const keyOf = (inA: number, inB: number, state: number) => (inA * b.edges.length + inB) * stateCount + state;
  const found: Found[] = [{ inA: 0, inB: 0, state: segmentStates.empty, char: '', before: undefined }];
  const seen = new Set([keyOf(0, 0, segmentStates.empty)]);
  for (const place of found) {
    if (a.accepts[place.inA] === true && b.accepts[place.inB] === true && place.state === segmentStates.name)
      return `${a.isAbsolute ? '/' : ''}${spell(place)}`;
    for (const left of a.edges[place.inA] ?? []) {
      for (const right of b.edges[place.inB] ?? []) {
        for (const { char, to } of stepsFrom(place.state, intersect(left.set, right.set))) {
          const key = keyOf(left.to, right.to, to);
          if (seen.has(key)) continue;
          seen.add(key);
          found.push({ inA: left.to, inB: right.to, state: to, char, before: place });
        }
      }
    }
  }
  return undefined;
}

interface Found {
  readonly inA: number;
  readonly inB: number;
  readonly state: number;
  readonly char: string;
  readonly before: Found | undefined;
}

function spell(end: Found): string {
  const chars: string[] = [];
  for (let place: Found | undefined = end; place !== undefined; place = place.before) chars.push(place.char);
  return chars.toReversed().join('');
}
