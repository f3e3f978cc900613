// The newest values by their names; the oldest are forgotten.

export function keep(known, name, value, most) {
  known.delete(name)
  known.set(name, value)
  for (const old of [...known.keys()].slice(0, -most)) known.delete(old)
}
