/** The nodes of a cycle in order, or undefined where there is none. An edge leads from each key to the nodes of its list. */
export function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  // A stack of our own: a chain of ten thousand tasks is deeper than the call stack may be.
  for (const start of edges.keys()) {
    const trail: { node: string; left: string[] }[] = [];
    const onTrail = new Set<string>();
    const enter = (node: string) => {
      trail.push({ node, left: [...(edges.get(node) ?? [])] });
      onTrail.add(node);
    };
    if (!done.has(start)) enter(start);
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const next = top.left.pop();
      if (next === undefined) {
        done.add(top.node);
        onTrail.delete(top.node);
        trail.pop();
      } else if (onTrail.has(next)) {
        const nodes = trail.map(({ node }) => node);
        return nodes.slice(nodes.indexOf(next));
      } else if (!done.has(next)) enter(next);
    }
  }
  return undefined;
}
