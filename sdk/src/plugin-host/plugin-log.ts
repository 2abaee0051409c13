/** Where the host says what happens: what came along first, then the words. */
export interface PluginLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
