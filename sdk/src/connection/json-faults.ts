import type { FieldProblem } from '@baton/protocol';
import { faultOfText } from './storable-text.ts';

const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** A container on the way through a JSON value, with the way that led there. */
interface Place {
  readonly value: object;
  readonly depth: number;
  readonly parent: Place | undefined;
  readonly key: string | number;
}

/** Thrown where a value nests deeper than allowed. */
export class TooDeepError extends Error {
  override readonly name = 'TooDeepError';
}

/**
 * Finds what no handler may receive: keys that reach into prototypes, text that no database stores, numbers that JSON
 * cannot give back. Walks without recursion, so that nesting costs no stack.
 * @throws TooDeepError where the value nests deeper than `depthMax`, itself included
 */
export function findJsonFault(value: object, depthMax: number): FieldProblem | undefined {
  const places: Place[] = [{ value, depth: 1, parent: undefined, key: '' }];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    if (place.depth > depthMax) throw new TooDeepError();
    const isList = Array.isArray(place.value);
    const members = place.value as Readonly<Record<string, unknown>>;
    for (const name in members) {
      const inner = members[name];
      const fault = (isList ? undefined : faultOfKey(name)) ?? faultOfValue(inner);
      const key = isList ? Number(name) : name;
      if (fault !== undefined) return { path: toPath({ value: place, depth: 0, parent: place, key }), message: fault };
      if (typeof inner === 'object' && inner !== null) places.push({ value: inner, depth: place.depth + 1, parent: place, key });
    }
  }
  return undefined;
}

function faultOfKey(key: string): string | undefined {
  if (forbiddenKeys.has(key)) return 'This name is not allowed.';
  return faultOfText(key);
}

function faultOfValue(value: unknown): string | undefined {
  if (typeof value === 'string') return faultOfText(value);
  // 1e400 is JSON and becomes Infinity, which would be stored as null.
  return typeof value === 'number' && !Number.isFinite(value) ? 'The number is too large.' : undefined;
}

/** As people write it: `tasks[2].locks[0].key`. */
function toPath(place: Place): string {
  const steps: string[] = [];
  for (let at: Place | undefined = place; at?.parent !== undefined; at = at.parent) {
    steps.unshift(typeof at.key === 'number' ? `[${at.key}]` : `.${at.key}`);
  }
  return steps.join('').replace(/^\./, '');
}

const quote = 34;
const backslash = 92;
// Brackets and braces differ in one bit, and the closing ones are two after the opening ones.
const opener = 91;
const closer = 93;
const braceBit = 32;

/** Whether JSON text nests deeper than `depthMax`. Asked before parsing, which takes a second for four million brackets. */
export function textNestsDeeperThan(text: string, depthMax: number): boolean {
  let depth = 0;
  let isInText = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (isInText) {
      if (code === backslash) index++;
      else if (code === quote) isInText = false;
    } else if (code === quote) isInText = true;
    else if ((code & ~braceBit) === opener && ++depth > depthMax) return true;
    else if ((code & ~braceBit) === closer) depth--;
  }
  return false;
}
