/**
 * Waits until an assertion holds, for things that tell nobody when they have happened. Where there is an event, wait for that
 * instead. Fails with what the assertion said last.
 */
export async function eventually<T>(assertion: () => T | Promise<T>, { withinMs = 10_000, everyMs = 20 } = {}): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}
