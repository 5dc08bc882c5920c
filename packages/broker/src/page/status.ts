/** The page at `/`: what each flow is doing, live. */
import * as Document from "./Document.ts"
import { live } from "./live.ts"
import { style } from "./style.ts"

export const status: Document.Document = Document.make({
  title: "Federate broker",
  style,
  body: `<header>
<h1><b>Federate</b> broker</h1>
<p id="connection" role="status" data-state="waiting">Asking</p>
</header>
<main id="flows" aria-busy="true">
<noscript><p class="empty">This page needs its script. <a href="/v1/flows">/v1/flows</a> tells the same as JSON.</p></noscript>
</main>
<p id="news" class="unseen" aria-live="polite"></p>
<footer>
<nav aria-label="More">
<a href="/docs">API</a>
<a href="/v1/flows">Status as JSON</a>
<a href="/readyz">Readiness</a>
<a href="/metrics">Metrics</a>
</nav>
<p class="key"><span><i class="fresh"></i>fresh</span> <span><i class="stale"></i>refreshed in the background</span> <span><i class="last"></i>callers wait for the refresh</span></p>
</footer>`,
  // The function's own text: it is checked as the rest is, and uses nothing from outside itself.
  script: `(${live.toString()})()`
})
