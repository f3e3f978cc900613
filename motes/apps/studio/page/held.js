// Held-out pictures of a run: more of them, and in the order of how well they are drawn.

const MORE = 24 // pictures that are shown more at a click
const AT_ONCE = 8 // pictures that are measured for one question (motes/apps/studio/desk.py)
const MEASURED = 192 // pictures that are measured, at most

const nameOf = ({ name, frames }, clip) => `held-out/${name}/${clip * frames}`
const namesOf = (run, count) => Array.from({ length: Math.min(count, run.clips) }, (_, clip) => nameOf(run, clip))

export const hasMore = (run) => run?.pictures?.length < (run?.worstFirst ? Object.keys(run.decibels).length : run?.clips)

export function showMore(store, run) {
  const one = store.state.runs[run], count = one.pictures.length + MORE
  store.learn(run, { pictures: one.worstFirst ? sorted(one).slice(0, count) : namesOf(one, count) })
}

// Worst first; and back to their own order.
export async function sort(store, server, run) {
  const one = store.state.runs[run]
  if (one.worstFirst) return store.learn(run, { worstFirst: false, pictures: namesOf(one, MORE) })
  const all = namesOf(one, MEASURED)
  let decibels = { ...one.decibels }
  for (let at = 0; at < all.length; at += AT_ONCE) {
    const pictures = all.slice(at, at + AT_ONCE).filter((name) => !(name in decibels))
    if (!pictures.length) continue
    store.say(`measuring ${Math.min(at + AT_ONCE, all.length)} of ${all.length} …`)
    const answer = await server.ask("decibels", { run, pictures })
    decibels = { ...decibels, ...Object.fromEntries(pictures.map((name, n) => [name, answer.decibels[n]])) }
  }
  store.learn(run, { decibels, worstFirst: true, pictures: sorted({ decibels }).slice(0, MORE) })
  store.say(all.length < one.clips ? `the first ${all.length} are sorted, worst first` : "worst first")
}

const sorted = ({ decibels }) => Object.keys(decibels).sort((a, b) => decibels[a] - decibels[b])
