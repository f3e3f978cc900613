// The panels of the page: each is a file of this folder that exports `panel(store, server, actions)`.

export const PANELS = [
  "inspector",
  "said",
  "views",
  "pictures",
  "strip",
  "keep",
  "time",
  "watch",
  "compare",
]
