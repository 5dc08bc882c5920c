/// <reference lib="dom" />
/** The script of the status page. It runs in a browser, from its own text: nothing outside the function is there. */
import type { Flows } from "../api/Flows.ts"

type Told = (typeof Flows.Type)["flows"][number]
type Asked = Told["requests"][number]
type Failure = NonNullable<Asked["error"]>

export const live = (): void => {
  /** How often the broker is asked, and how long it may take, in milliseconds. */
  const interval = 2000
  const patience = 5000
  /** Requests of a flow that are shown at once; the others are one click away. */
  const shown = 3

  const main = document.querySelector("main")!
  const connection = document.querySelector<HTMLElement>("#connection")!
  const news = document.querySelector<HTMLElement>("#news")!

  const words = {
    fresh: "Fresh",
    stale: "Stale",
    fetching: "Fetching",
    failing: "Failing",
    expired: "Expired",
    idle: "Idle"
  }
  const issued = {
    AccessToken: "Access token",
    Assertion: "Assertion",
    AwsCredentials: "AWS credentials"
  }
  const clouds = { azure: "Azure", google: "Google", aws: "AWS" }

  const element = <Tag extends keyof HTMLElementTagNameMap>(
    tag: Tag,
    className = "",
    ...children: ReadonlyArray<Node | string>
  ): HTMLElementTagNameMap[Tag] => {
    const made = document.createElement(tag)
    if (className !== "") made.className = className
    made.append(...children)
    return made
  }

  /** Touches the page only where it changes: what is selected or read aloud stays. */
  const write = (node: HTMLElement, text: string): void => {
    if (node.textContent !== text) node.textContent = text
  }
  const show = (node: HTMLElement, visible: boolean): void => {
    if (node.hidden === visible) node.hidden = !visible
  }
  const mark = (node: HTMLElement, name: string, value: string): void => {
    if (node.dataset[name] !== value) node.dataset[name] = value
  }

  /** 33 s, 12 min, 3 h 20 min, 2 d 4 h. */
  const span = (seconds: number): string => {
    if (seconds < 99.5) return `${Math.round(seconds)} s`
    const minutes = Math.round(seconds / 60)
    if (minutes < 60) return `${minutes} min`
    const hours = Math.floor(minutes / 60)
    const two = (whole: number, large: string, rest: number, small: string): string =>
      rest === 0 ? `${whole} ${large}` : `${whole} ${large} ${rest} ${small}`
    return hours < 48
      ? two(hours, "h", minutes % 60, "min")
      : two(Math.floor(hours / 24), "d", hours % 24, "h")
  }
  const clock = (date: Date): string =>
    date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" })

  interface View<A> {
    readonly root: HTMLElement
    readonly update: (item: A) => void
  }

  /** Keeps one view for each item, in the items' order. */
  const list = <A>(
    container: HTMLElement,
    keyOf: (item: A) => string,
    make: () => View<A>
  ): ((items: ReadonlyArray<A>) => void) => {
    const views = new Map<string, View<A>>()
    return (items) => {
      const keys = new Set(items.map(keyOf))
      for (const [key, { root }] of views) {
        if (keys.has(key)) continue
        root.remove()
        views.delete(key)
      }
      for (const [index, item] of items.entries()) {
        const key = keyOf(item)
        let view = views.get(key)
        if (view === undefined) views.set(key, (view = make()))
        view.update(item)
        const there = container.children[index]
        if (there !== view.root) container.insertBefore(view.root, there ?? null)
      }
    }
  }

  /** Who does something, or, without a label, what they give. */
  const hop = (label?: string) => {
    const name = element("b")
    const root =
      label === undefined
        ? element("li", "", name)
        : element("li", "hop", element("span", "label", label), name)
    return { root, name }
  }

  /** Source, assertion, exchanger, credential. */
  const hopsView = (): View<Told> => {
    const source = hop("Source")
    const assertion = hop()
    const exchanger = hop("Exchanger")
    const credential = hop()
    const root = element("ol", "hops", source.root, assertion.root, exchanger.root, credential.root)
    write(assertion.name, issued.Assertion)
    return {
      root,
      update: ({ exchanger: second, issues, requests, source: first = "its own" }) => {
        const exchanged = issues !== "Assertion" || second !== undefined
        const stage = requests.find(({ error }) => error !== undefined)?.error?.stage
        write(source.name, first)
        mark(source.root, "failed", String(stage === "assertion"))
        write(exchanger.name, second ?? "its own")
        mark(exchanger.root, "failed", String(stage === "exchange"))
        write(credential.name, issued[issues])
        show(exchanger.root, exchanged)
        show(credential.root, exchanged)
      }
    }
  }

  const failureView = (): View<Asked> => {
    const title = element("strong")
    const where = element("span", "where")
    const description = element("p", "description")
    const hint = element("p", "hint")
    const again = element("p", "again", "Callers still get the credential in hand.")
    const root = element(
      "div",
      "failure",
      element("p", "", title, " ", where),
      description,
      hint,
      again
    )
    const told = (error: Failure): string =>
      error.stage === "configuration" ? "in the configuration" : `at the ${error.stage}`
    return {
      root,
      update: ({ error, state }) => {
        show(root, error !== undefined)
        if (error === undefined) return
        write(title, error.code ?? error.reason)
        write(where, `${told(error)}, says ${error.adapter}`)
        write(description, error.description)
        show(hint, error.hint !== undefined)
        write(hint, error.hint ?? "")
        show(again, state === "fresh" || state === "stale")
      }
    }
  }

  const fact = (label: string) => {
    const value = element("dd")
    const root = element("div", "", element("dt", "", label), value)
    return { root, value }
  }

  interface Shown {
    readonly request: Asked
    /** Whether it is the flow's only one: then the flow's state is its own. */
    readonly alone: boolean
  }

  const requestView = (): View<Shown> => {
    const asked = element("p", "asked")
    const state = element("span", "state")
    const fresh = element("i", "fresh")
    const stale = element("i", "stale")
    const last = element("i", "last")
    const now = element("i", "now")
    const life = element("div", "life", fresh, stale, last, now)
    life.setAttribute("role", "img")
    const age = element("span")
    const end = element("span")
    const ends = element("p", "ends", age, end)
    const refresh = fact("Next refresh")
    const hits = fact("From memory")
    const succeeded = fact("Fetched")
    const failed = fact("Failed")
    const failure = failureView()
    const root = element(
      "li",
      "request",
      element("div", "head", asked, state),
      life,
      ends,
      element("dl", "", refresh.root, hits.root, succeeded.root, failed.root),
      failure.root
    )
    let question: string | undefined
    return {
      root,
      update: ({ alone, request }) => {
        const { audience, claims, scopes = [] } = request
        const parts = [
          ...scopes,
          ...(audience === undefined ? [] : [`audience ${audience}`]),
          ...(claims === undefined ? [] : [`claims ${claims}`])
        ]
        if (question !== parts.join(" ")) {
          question = parts.join(" ")
          asked.replaceChildren(
            ...(parts.length === 0
              ? ["Default request"]
              : parts.map((part) => element("code", "", part)))
          )
        }
        write(state, request.refreshing ? "Refreshing" : words[request.state])
        show(state, request.refreshing || !alone)
        mark(state, "state", request.refreshing ? "fetching" : request.state)
        const held = request.age !== undefined && request.life !== undefined
        show(life, held)
        show(ends, held)
        if (request.age !== undefined && request.life !== undefined) {
          const { age: old, hardPoint = 0, life: whole, softPoint = 0 } = request
          const part = (seconds: number): string =>
            `${Math.min(100, Math.max(0, (100 * seconds) / whole))}%`
          fresh.style.width = part(softPoint)
          stale.style.width = part(hardPoint - softPoint)
          last.style.width = part(whole - hardPoint)
          now.style.left = part(old)
          const left = whole - old
          write(age, `${span(old)} old`)
          write(end, left > 0 ? `ends in ${span(left)}` : `ended ${span(-left)} ago`)
          life.setAttribute(
            "aria-label",
            `${span(old)} old; fresh until ${span(softPoint)}, over at ${span(whole)}`
          )
        }
        const { refreshIn } = request
        write(
          refresh.value,
          request.refreshing ? "under way" : refreshIn > 0 ? `in ${span(refreshIn)}` : "when asked"
        )
        write(hits.value, request.hits.toLocaleString())
        write(succeeded.value, request.succeeded.toLocaleString())
        write(failed.value, request.failed.toLocaleString())
        mark(failed.root, "some", String(request.failed > 0))
        failure.update(request)
      }
    }
  }

  const keyOf = ({ request: { audience, claims, scopes } }: Shown): string =>
    JSON.stringify([scopes, audience, claims])

  const flowView = (): View<Told> => {
    const name = element("h2")
    const state = element("span", "state")
    const kind = element("p", "kind")
    const hops = hopsView()
    const first = element("ul", "requests")
    const others = element("ul", "requests")
    const more = element("summary")
    const rest = element("details", "", more, others)
    const empty = element(
      "p",
      "empty",
      "Nobody has asked yet. The first request fetches a credential."
    )
    const root = element(
      "article",
      "flow",
      element("div", "head", name, kind, state),
      hops.root,
      first,
      rest,
      empty
    )
    const listed = list(first, keyOf, requestView)
    const hidden = list(others, keyOf, requestView)
    let before: Told["state"] | undefined
    return {
      root,
      update: (flow) => {
        write(name, flow.name)
        write(state, words[flow.state])
        mark(state, "state", flow.state)
        write(kind, flow.cloud === undefined ? "" : `for ${clouds[flow.cloud]}`)
        hops.update(flow)
        const alone = flow.requests.length === 1
        const requests = flow.requests.map((request) => ({ request, alone }))
        listed(requests.slice(0, shown))
        hidden(requests.slice(shown))
        const left = flow.remembered - Math.min(shown, flow.requests.length)
        const untold = flow.remembered - flow.requests.length
        show(rest, left > 0)
        write(more, `${left} more${untold > 0 ? `, ${untold} of them not told` : ""}`)
        show(empty, flow.remembered === 0)
        if (before !== undefined && before !== flow.state) {
          write(news, `${flow.name}: ${words[flow.state]}`)
        }
        before = flow.state
      }
    }
  }

  const none = element(
    "p",
    "empty",
    "No flow is served here. Add one to the config file, and start the broker again."
  )
  const flows = element("div", "flows")
  const update = list(flows, ({ name }: Told) => name, flowView)
  main.append(none, flows)
  show(none, false)

  let answered: Date | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  const ask = async (): Promise<void> => {
    clearTimeout(timer)
    try {
      const response = await fetch("/v1/flows", { signal: AbortSignal.timeout(patience) })
      if (!response.ok) throw new Error(String(response.status))
      // The broker's own answer.
      const told = (await response.json()) as typeof Flows.Type
      answered = new Date()
      update(told.flows)
      show(none, told.flows.length === 0)
      write(connection, "Live")
      mark(connection, "state", "live")
      main.ariaBusy = "false"
    } catch {
      write(
        connection,
        answered === undefined
          ? "The broker cannot be reached"
          : `The broker cannot be reached since ${clock(answered)}`
      )
      mark(connection, "state", "lost")
    }
    mark(main, "state", connection.dataset["state"] ?? "")
    clearTimeout(timer)
    if (document.visibilityState === "visible") timer = setTimeout(() => void ask(), interval)
  }

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void ask()
  })
  void ask()
}
