/** Counts the signals that would stop it; at SIGUSR1 prints them, with what the broker still answers, and ends with 5. */
const counts: Record<string, number> = {}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"] as const) {
  process.on(signal, () => {
    counts[signal] = (counts[signal] ?? 0) + 1
    process.stderr.write(`${signal}\n`)
  })
}
process.on("SIGUSR1", () => {
  void fetch(`${process.env["FEDERATE_BROKER_URL"]}/livez`).then(({ status }) => {
    console.log(JSON.stringify({ counts, status }))
    process.exit(5)
  })
})
// Nothing else keeps it running.
setInterval(() => {}, 1_000_000)
process.stderr.write(`ready for ${process.ppid}.\n`)
