/** Text for a shell (POSIX.1-2024, Shell Command Language §2.2). */

/** A value as a shell reads it back: bare when that is safe. */
export const word = (value: string): string =>
  /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`
