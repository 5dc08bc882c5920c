/** How the broker's pages look: system fonts, quiet colours, light and dark. */
export const style = `
:root {
  --page: #f6f6f3; --card: #fff; --line: #e2e2dc; --ink: #1b1e23; --quiet: #5b626d;
  --fresh: #17744a; --stale: #8a5a00; --failing: #b3261e; --fetching: #1c5bb8; --expired: #5b626d; --idle: #5b626d;
  --fresh-part: #b9dfca; --stale-part: #f0d9a4; --last-part: #eebfb5; --failure: #fdf3f1;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101317; --card: #171b21; --line: #2a3038; --ink: #e7e9ec; --quiet: #9ba5b1;
    --fresh: #58c893; --stale: #e3b04b; --failing: #ff9187; --fetching: #83b4ff; --expired: #9ba5b1; --idle: #9ba5b1;
    --fresh-part: #22513b; --stale-part: #5b471b; --last-part: #63302b; --failure: #241a1b;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.5rem 3rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
p, h1, h2, ol, ul, dl, dd { margin: 0; padding: 0; }
ol, ul { list-style: none; }
code { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
a { color: inherit; text-decoration-color: var(--quiet); text-underline-offset: .2em; }
a:hover { text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--fetching); outline-offset: 3px; border-radius: 3px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .25rem 1.5rem; margin-bottom: 1.75rem; }
h1 { font-size: 1.375rem; font-weight: 400; letter-spacing: -.01em; color: var(--quiet); }
h1 b { font-weight: 650; color: var(--ink); }
#connection { font-size: .875rem; color: var(--quiet); }
#connection::before, .state::before { content: ""; display: inline-block; width: .5em; height: .5em; margin-right: .5em; border-radius: 50%; background: currentColor; vertical-align: .08em; }
#connection[data-state="live"]::before { background: var(--fresh); }
#connection[data-state="lost"] { color: var(--failing); }
main { transition: opacity .3s; }
main[data-state="lost"] { opacity: .55; }

.flows { display: grid; gap: 1rem; }
.flow { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem 1.5rem 1.5rem; }
.head { display: flex; flex-wrap: wrap; align-items: baseline; gap: .125rem .75rem; }
h2 { font-size: 1.125rem; font-weight: 650; letter-spacing: -.01em; }
.kind { color: var(--quiet); font-size: .875rem; }
.state { margin-left: auto; font-size: .875rem; font-weight: 550; color: var(--idle); white-space: nowrap; }
.state[data-state="fresh"] { color: var(--fresh); }
.state[data-state="stale"] { color: var(--stale); }
.state[data-state="failing"] { color: var(--failing); }
.state[data-state="fetching"] { color: var(--fetching); }
.state[data-state="fetching"]::before { animation: breathe 1.6s ease-in-out infinite; }
@keyframes breathe { 50% { opacity: .25; } }

.hops { display: flex; flex-wrap: wrap; align-items: center; row-gap: .625rem; margin: 1rem 0 .25rem; font-size: .875rem; }
.hops li { position: relative; }
.hops li + li { margin-left: 2.25rem; }
.hops li + li::before { content: ""; position: absolute; right: calc(100% + .5rem); top: 50%; width: 1.25rem; border-top: 1px solid var(--quiet); }
.hops li + li::after { content: ""; position: absolute; right: calc(100% + .5rem); top: 50%; width: .375rem; height: .375rem; border: solid var(--quiet); border-width: 1px 1px 0 0; transform: translateY(-50%) rotate(45deg); }
.hops b { font-weight: 400; color: var(--quiet); }
.hops .hop b { font-weight: 550; color: var(--ink); }
.hop { border: 1px solid var(--line); border-radius: .5rem; padding: .375rem .75rem; background: var(--page); }
.hop[data-failed="true"] { border-color: var(--failing); background: var(--failure); }
.label { display: block; font-size: .75rem; line-height: 1.25; color: var(--quiet); }

.request { border-top: 1px solid var(--line); margin-top: 1.125rem; padding-top: 1rem; }
.asked { flex: 1 1 0; min-width: min(100%, 12rem); display: flex; flex-wrap: wrap; gap: .25rem .75rem; font-size: .875rem; color: var(--quiet); }
.asked code { color: var(--ink); font-size: .8125rem; }
.life { position: relative; display: flex; height: .5rem; margin: .875rem 0 .375rem; }
.life i { height: 100%; }
i.fresh { background: var(--fresh-part); border-radius: .25rem 0 0 .25rem; }
i.stale { background: var(--stale-part); }
i.last { background: var(--last-part); border-radius: 0 .25rem .25rem 0; }
.key { display: flex; flex-wrap: wrap; gap: 0 1rem; }
.key i { display: inline-block; width: 1.25rem; height: .5rem; margin-right: .375rem; border-radius: .25rem; }
.life .now { position: absolute; top: -.25rem; height: 1rem; width: 3px; margin-left: -1.5px; border-radius: 2px; background: var(--ink); box-shadow: 0 0 0 2px var(--card); transition: left .4s linear; }
.ends { display: flex; justify-content: space-between; gap: 1rem; font-size: .8125rem; color: var(--quiet); }
dl { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin-top: .75rem; font-size: .875rem; }
dt { font-size: .75rem; line-height: 1.4; color: var(--quiet); }
dl [data-some="true"] dd { color: var(--failing); }
.failure { margin-top: 1rem; padding: .75rem 1rem; border-radius: .5rem; background: var(--failure); border-left: 3px solid var(--failing); font-size: .875rem; }
.failure strong { font-weight: 650; color: var(--failing); }
.failure .where, .failure .again { color: var(--quiet); }
.failure .hint { margin-top: .5rem; font-weight: 550; }
.failure .again { margin-top: .5rem; }
details { margin-top: 1rem; font-size: .875rem; }
summary { cursor: pointer; color: var(--quiet); }
.empty { color: var(--quiet); font-size: .9375rem; }
.flow .empty { margin-top: 1rem; font-size: .875rem; }
main > .empty { border: 1px dashed var(--line); border-radius: .75rem; padding: 2.5rem 1.5rem; text-align: center; }

.lead { max-width: 44rem; margin-bottom: 1.5rem; color: var(--quiet); }
.flow > p { margin-top: .5rem; }
h3 { margin: 1.25rem 0 0; font-size: .875rem; font-weight: 600; }
dl.rows { display: block; font-size: .875rem; }
.rows > div { display: grid; grid-template-columns: 12rem 1fr; gap: .125rem 1rem; padding: .5rem 0; border-top: 1px solid var(--line); }
.rows dt { font-size: .875rem; color: var(--ink); }

footer { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .5rem 1.5rem; margin-top: 2rem; font-size: .8125rem; color: var(--quiet); }
nav { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; }

@media (max-width: 36rem) {
  body { padding: 1.5rem 1rem 2rem; }
  .flow { padding: 1rem 1rem 1.25rem; }
  .hops li + li { margin-left: 1.75rem; }
  .hops li + li::before { width: .875rem; right: calc(100% + .4375rem); }
  .hops li + li::after { right: calc(100% + .4375rem); }
  dl { column-gap: 1.125rem; }
  .rows > div { grid-template-columns: 1fr; }
}
@media (prefers-reduced-motion: reduce) {
  * { animation: none !important; transition: none !important; }
}
`
