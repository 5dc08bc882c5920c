/** RFC 3339 in UTC, without fractions: what every SDK reads. */
export const timestamp = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
