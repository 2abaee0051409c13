/** How many judgements may be under way at once. */
export interface PlaceLimits {
  /** Of one project. */
  readonly ofProject: number;
  /** Of all. */
  readonly ofAll: number;
  /** How many may wait for a place. */
  readonly waitingMax: number;
}

/** Judgements under way, and a line for each project of those that wait. Projects take turns. */
export interface JudgementPlaces {
  /** Judges as soon as there is a place. False where too many wait already. */
  enter(projectId: string, judge: () => Promise<void>): boolean;
  /** Settles when nothing is under way and nobody waits. */
  end(): Promise<void>;
}

export function createJudgementPlaces({ ofProject, ofAll, waitingMax }: PlaceLimits): JudgementPlaces {
  const underWay = new Map<Promise<void>, string>();
  /** Whose turn is next stands first. Nobody stands here without somebody who waits. */
  const lines = new Map<string, (() => Promise<void>)[]>();

  const hasPlace = (projectId: string) =>
    underWay.size < ofAll && [...underWay.values()].filter((each) => each === projectId).length < ofProject;

  const begin = (projectId: string, judge: () => Promise<void>) => {
    const judgement = judge().finally(() => {
      underWay.delete(judgement);
      callNext();
    });
    underWay.set(judgement, projectId);
  };
  const callNext = () => {
    const next = [...lines].find(([projectId]) => hasPlace(projectId));
    if (next === undefined) return;
    const [projectId, [judge, ...others]] = next;
    // Who has had a turn stands last.
    lines.delete(projectId);
    if (others.length > 0) lines.set(projectId, others);
    if (judge !== undefined) begin(projectId, judge);
  };

  return {
    enter(projectId, judge) {
      const line = lines.get(projectId) ?? [];
      if (line.length === 0 && hasPlace(projectId)) {
        begin(projectId, judge);
        return true;
      }
      const waiting = [...lines.values()].reduce((sum, each) => sum + each.length, 0);
      if (waiting >= waitingMax) return false;
      lines.set(projectId, [...line, judge]);
      return true;
    },
    async end() {
      while (underWay.size > 0) await Promise.all(underWay.keys());
    },
  };
}
