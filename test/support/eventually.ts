/**
 * How long a test waits for what has to come. Ten times what it takes on a busy machine: it costs time only where a test fails. Below the
 * limit of a test, so that the message says what was waited for.
 */
export const patienceMs = 50_000;

/**
 * Waits until an assertion holds, for things that tell nobody when they have happened. Where there is an event, wait for that
 * instead. Fails with what the assertion said last.
 */
export async function eventually<T>(assertion: () => T | Promise<T>, { withinMs = patienceMs, everyMs = 20 } = {}): Promise<T> {
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
