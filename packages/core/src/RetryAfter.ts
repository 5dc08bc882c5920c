/** The one parser of `Retry-After` (RFC 9110 §10.2.3). */

/** However long a server asks for, this is the longest that is waited: an hour, in milliseconds. */
export const limit = 3_600_000

const imfFixdate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
const rfc850 = /^[A-Z][a-z]+day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/
const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

/**
 * An HTTP date (RFC 9110 §5.6.7, all three forms) as epoch milliseconds.
 */
export const parseDate = (value: string): number | undefined => {
  const text = value.trim()
  const time =
    imfFixdate.test(text) || rfc850.test(text)
      ? Date.parse(text)
      : asctime.test(text)
        ? Date.parse(`${text} GMT`)
        : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

/**
 * The delay that a server asks for, in milliseconds, from 0 to {@link limit}. Digits are seconds; otherwise an HTTP
 * date, held against the server's own clock when its `Date` is known. Anything else is as if it were absent.
 *
 * @param serverTime the server's clock when it answered, epoch milliseconds
 */
export const parse = (value: string | null | undefined, serverTime: number): number | undefined => {
  if (value === null || value === undefined) return undefined
  const text = value.trim()
  const delay = /^\d+$/.test(text)
    ? Number(text) * 1000
    : (parseDate(text) ?? Number.NaN) - serverTime
  return Number.isNaN(delay) ? undefined : Math.min(Math.max(delay, 0), limit)
}
