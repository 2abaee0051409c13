/** Waits for what was begun, but not for longer than this; what is late goes on unheard. */
export async function withinMs<T>(limitMs: number, begun: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`There was no answer within ${limitMs} ms.`)), limitMs);
  try {
    return await Promise.race([begun, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
