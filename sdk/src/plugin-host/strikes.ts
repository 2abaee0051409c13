/** How often a plugin may misbehave in a row before it is switched off. */
const strikesMax = 3;

export interface SwitchedOff {
  /** The package's name. */
  readonly plugin: string;
  /** What it did the last time. */
  readonly reason: string;
}

/** Who did it: a validator or summarizer of a plugin. */
export interface Use {
  /** The package's name. */
  readonly plugin: string;
  readonly verb: string;
  readonly use: string;
}

/**
 * Counts how often a validator harmed its surroundings in a row: ended its process, went on after its time, answered what is no
 * answer. The whole plugin is then switched off, since they share their code.
 */
export interface Strikes {
  /** A run without harm. What was counted of this validator is forgotten, and of no other. */
  forgive(use: Use): void;
  /** Returns whether this was the one that switched the plugin off. */
  strike(use: Use, reason: string): boolean;
  /** Why it is off; undefined while it is on. */
  offBecause(plugin: string): string | undefined;
  switchOn(plugin: string): void;
}

export function createStrikes(): Strikes {
  const counts = new Map<string, Map<string, number>>();
  const off = new Map<string, string>();
  const countsOf = (plugin: string) => {
    const known = counts.get(plugin) ?? new Map<string, number>();
    counts.set(plugin, known);
    return known;
  };
  return {
    forgive: ({ plugin, verb, use }) => void countsOf(plugin).delete(`${verb} ${use}`),
    strike({ plugin, verb, use }, reason) {
      const own = countsOf(plugin);
      const count = (own.get(`${verb} ${use}`) ?? 0) + 1;
      own.set(`${verb} ${use}`, count);
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
