// What can be done with a film, each by a button and a key, as in ../actions.js.

import { SPEEDS } from "./player.js"

export function filmActions(store, player, tracks, future) {
  const has = () => Boolean(player.film)
  const pace = (by) => player.pace(SPEEDS[Math.min(Math.max(SPEEDS.indexOf(player.speed) + by, 0), SPEEDS.length - 1)])
  return {
    play: { key: "a", name: "Play or pause the film", can: has, does: () => player.toggle() },
    frameBack: { key: "q", name: "A frame back", can: has, does: () => player.step(-1) },
    frameOn: { key: "w", name: "A frame on", can: has, does: () => player.step(1) },
    slower: { key: "<", name: "Slower", can: has, does: () => pace(-1) },
    faster: { key: ">", name: "Faster", can: has, does: () => pace(1) },
    loop: { key: "y", name: "Again from the start, or not", can: has, does: () => player.repeat(!player.loop) },
    follow: { key: "e", name: "Follow things through the film, or no longer", can: () => Boolean(tracks.keyOf(player)), does: () => (store.state.following ? tracks.stop() : tracks.follow()) },
    tracks: { key: "h", name: "Draw trails of things", can: has, does: () => store.set({ over: { ...store.state.over, tracks: !store.state.over.tracks } }) },
    future: { key: "g", name: "What comes next, or back to the film", can: () => future.can(), does: () => future.toggle() },
  }
}
