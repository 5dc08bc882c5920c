/** Reads plain text, whatever colours the terminal of who runs the tests is made to show. */
export const plain = (): void => {
  delete process.env["FORCE_COLOR"]
}
