/** How often a plugin may misbehave in a row before it is switched off. */
const strikesMax = 3;

export interface SwitchedOff {
  /** The package's name. */
  readonly plugin: string;
  /** What it did the last time. */
  readonly reason: string;
}

/** Counts how often plugins harmed their surroundings in a row: ended their process, went on after their time, answered what is no answer. */
export interface Strikes {
  /** A run without harm. What was counted is forgotten. */
  forgive(plugin: string): void;
  /** Returns whether this was the one that switched it off. */
  strike(plugin: string, reason: string): boolean;
  /** Why it is off; undefined while it is on. */
  offBecause(plugin: string): string | undefined;
  switchOn(plugin: string): void;
}

export function createStrikes(): Strikes {
  const counts = new Map<string, number>();
  const off = new Map<string, string>();
  return {
    forgive: (plugin) => void counts.delete(plugin),
    strike(plugin, reason) {
      const count = (counts.get(plugin) ?? 0) + 1;
      counts.set(plugin, count);
      if (count < strikesMax || off.has(plugin)) return false;
      off.set(plugin, reason);
      return true;
    },
    offBecause: (plugin) => off.get(plugin),
    switchOn(plugin) {
      counts.delete(plugin);
      off.delete(plugin);
    },
  };
}
