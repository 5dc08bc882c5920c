/** What was set, and when: an old value holds elsewhere until the new one has spread. */

/** Never empty, the newest last; times are epoch milliseconds. */
export type History<A> = Array<{ readonly value: A; readonly setAt: number }>

/** @param setAt since when it is there; by default, for ever */
export const begin = <A>(value: A, setAt: number = Number.NEGATIVE_INFINITY): History<A> => [
  { value, setAt }
]

export const current = <A>(history: History<A>): A => history.at(-1)!.value

/** The newest that was set until then; nothing where there was none yet. */
export const seen = <A>(history: History<A>, until: number): A | undefined =>
  history.findLast(({ setAt }) => setAt <= until)?.value

export const set = <A>(history: History<A>, value: A, setAt: number): void =>
  void history.push({ value, setAt })
