/** Who is being served on the word of a token that was accepted when they came. */
export interface TokenHolders {
  /** Runs `end` once the token is accepted no more. Returns what takes the holder away again. */
  add(tokenId: string, end: () => void): () => void;
  tokenIds(): string[];
  /** Ends all that these tokens let in. */
  end(tokenIds: readonly string[]): void;
}

export function createTokenHolders(): TokenHolders {
  const holders = new Map<string, Set<() => void>>();
  return {
    add(tokenId, end) {
      const ends = holders.get(tokenId) ?? new Set();
      holders.set(tokenId, ends.add(end));
      return () => {
        ends.delete(end);
        if (ends.size === 0 && holders.get(tokenId) === ends) holders.delete(tokenId);
      };
    },
    tokenIds: () => [...holders.keys()],
    end(tokenIds) {
      for (const id of tokenIds) for (const end of holders.get(id) ?? []) end();
    },
  };
}
