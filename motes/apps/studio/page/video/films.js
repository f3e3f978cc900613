// Which film is open, and which of its frames: a run's held-out clip, numbered pictures of a folder, or a person's own.

export const RATE = 25 // frames a second; data and browsers do not tell

// { name: for the studio, count, rate, frame: of the open picture, own, pictureOf(n) }; null where single pictures are open.
// `picture`: the one that is open or will be, unless told.
export function filmOf({ opening, picture: shown, runs, films, numbered }, picture = opening?.picture || shown) {
  const own = films.find(({ names }) => names.includes(picture))
  if (own) return { name: `film/${own.id}`, count: own.count, rate: own.rate, frame: own.names.indexOf(picture), own, pictureOf: (n) => own.names[n] }
  const names = numbered.find((names) => names.includes(picture))
  if (names) return { name: names[0], count: names.length, rate: RATE, frame: names.indexOf(picture), pictureOf: (n) => names[n] }
  const [, head, run, number] = picture.match(/^(held-out\/(.+))\/(\d+)$/) || [], count = runs.find(({ name }) => name === run)?.frames || 1
  if (count < 2) return null
  const frame = number % count, first = number - frame
  return { name: `${head}/${first}`, count, rate: RATE, frame, pictureOf: (n) => `${head}/${first + n}` }
}
