// Arrow keys within a group of buttons, of which one alone is reached by Tab.

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

// `choosing`: arrows choose what they come to. Returns a function to call when the buttons, or which of them is current, have changed.
export function roving(place, { choosing = false } = {}) {
  const items = () => [...place.querySelectorAll("button")].filter((one) => !one.hidden && !one.disabled)
  place.addEventListener("keydown", (event) => {
    const all = items(), at = all.indexOf(document.activeElement)
    const to = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : event.key in STEPS ? (at + STEPS[event.key] + all.length) % all.length : -1
    if (at < 0 || to < 0 || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
    all[to].focus()
    if (choosing) all[to].click()
    // by another focus the buttons may have been made anew
    ;(items()[to] ?? all[to]).focus()
    mark()
  })
  const isCurrent = (one) => ["aria-selected", "aria-checked", "aria-current"].some((name) => one.getAttribute(name) === "true")
  const mark = () => {
    const all = items(), current = all.find((one) => one === document.activeElement) ?? all.find(isCurrent) ?? all[0]
    for (const one of all) one.tabIndex = one === current ? 0 : -1
  }
  return mark
}
