/** Plugins that cannot be enabled as asked, for a person to read: every mistake at once. */
export class PluginSetupError extends Error {
  override readonly name = 'PluginSetupError';
}
