// A person's own video: its frames are read by the browser, one by one, when they are looked at.

import { make } from "./draw.js"

const RATE = 25 // frames a second; browsers do not tell a video's own
const SIDE = 512 // pixels of a frame's longer side, as the studio would bring it to
const PATIENCE = 10_000 // milliseconds that a browser has for a frame

export class Clip {
  constructor(name, video, count) {
    Object.assign(this, { name, video, count, names: [] }) // names: of the frames that were looked at
  }

  // The picture's name by which the studio knows a frame. Of several that are asked for, the newest alone is read; the others are null.
  async picture(n, server) {
    if (this.names[n]) return this.names[n]
    this.wanted = n
    await this.busy
    if (this.wanted !== n) return null
    this.busy = this.frame(n).then((file) => server.upload(file))
    this.names[n] = await this.busy.finally(() => (this.busy = null))
    return this.names[n]
  }

  async frame(n) {
    const { video } = this, size = Math.min(SIDE / Math.max(video.videoWidth, video.videoHeight), 1)
    await seek(video, Math.min((n + 0.5) / RATE, Math.max(video.duration - 0.001, 0)))
    const canvas = make("canvas", { width: Math.round(video.videoWidth * size), height: Math.round(video.videoHeight * size) })
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height)
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"))
    return new File([blob], `${this.name} ${n + 1}.png`, { type: "image/png" })
  }
}

export async function readClip(file) {
  const video = make("video", { muted: true, playsInline: true, preload: "auto" })
  video.src = URL.createObjectURL(file)
  try {
    await heard(video, "loadeddata")
    if (!Number.isFinite(video.duration)) await seek(video, 1e7) // a recording does not say how long it is before its end
    const count = Math.max(Math.round(video.duration * RATE), 1)
    if (!video.videoWidth || !Number.isFinite(count)) throw new Error()
    return new Clip(file.name, video, count)
  } catch {
    URL.revokeObjectURL(video.src)
    throw new Error(`this browser cannot read ${file.name}; MP4 with H.264 and WebM are read by most`)
  }
}

function seek(video, time) {
  const there = heard(video, "seeked")
  video.currentTime = time
  return there
}

function heard(video, name) {
  return new Promise((done, fail) => {
    video.addEventListener(name, done, { once: true })
    video.addEventListener("error", fail, { once: true })
    setTimeout(() => fail(new Error("this frame of the video cannot be read")), PATIENCE)
  })
}
