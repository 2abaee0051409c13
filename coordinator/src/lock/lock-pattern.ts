import { type CharSet, complementOf, intersect, oneChar, pickChar, segmentChars } from './char-set.ts';
import type { Pattern, Segment, Token } from './pattern-syntax.ts';

interface Edge {
  readonly set: CharSet;
  readonly to: number;
}

/** A nondeterministic automaton over the characters of a path. It begins in state 0. */
export interface Automaton {
  readonly isAbsolute: boolean;
  readonly edges: readonly (readonly Edge[])[];
  /** The states that each leads to without a character. */
  readonly skips: readonly (readonly number[])[];
  readonly end: number;
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

  return { isAbsolute, edges, skips, end };
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

/** So many steps take up to a tenth of a second. */
export const stepsMax = 50_000;
/** What people write takes fewer than this. */
export const stepsUsual = 1_000;

interface Comparison {
  /** A shortest path that both match; undefined where there is none, or where the steps did not suffice to tell. */
  readonly path: string | undefined;
  readonly isDecided: boolean;
  readonly steps: number;
}

/**
 * Looks for a path that two patterns both match. Exact as far as it goes: it visits all pairs of states that some path leads
 * to, those of shorter paths first, and stops after so many of them.
 */
export function comparePatterns(a: Automaton, b: Automaton, limit = stepsMax): Comparison {
  if (a.isAbsolute !== b.isAbsolute) return { path: undefined, isDecided: true, steps: 0 };
  const seen = new Set<number>();
  let level: Found[] = [];
  let next: Found[] = [];
  const reach = (found: Found, into: Found[]) => {
    const key = (found.inA * b.edges.length + found.inB) * stateCount + found.state;
    if (seen.has(key)) return;
    seen.add(key);
    into.push(found);
  };
  let steps = 0;
  reach({ inA: 0, inB: 0, state: segmentStates.empty, char: '', before: undefined }, next);
  while (next.length > 0) {
    [level, next] = [next, []];
    // Grows while it is walked: what is reached without a character is as near as what it is reached from.
    for (const place of level) {
      if (place.inA === a.end && place.inB === b.end && place.state === segmentStates.name)
        return { path: `${a.isAbsolute ? '/' : ''}${spell(place)}`, isDecided: true, steps };
      if (steps === limit) return { path: undefined, isDecided: false, steps };
      steps += 1;
      for (const inA of a.skips[place.inA] ?? []) reach({ ...place, inA, char: '', before: place }, level);
      for (const inB of b.skips[place.inB] ?? []) reach({ ...place, inB, char: '', before: place }, level);
      for (const left of a.edges[place.inA] ?? []) {
        for (const right of b.edges[place.inB] ?? []) {
          for (const { char, to } of stepsFrom(place.state, intersect(left.set, right.set)))
            reach({ inA: left.to, inB: right.to, state: to, char, before: place }, next);
        }
      }
    }
  }
  return { path: undefined, isDecided: true, steps };
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
