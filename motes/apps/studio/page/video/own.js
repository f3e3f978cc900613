// A person's own film: a video that the browser reads, or numbered pictures. Its frames go to the studio when they are needed there.

import { make } from "../draw.js"
import { RATE } from "./films.js"

const SIDE = 320 // pixels of a frame's longer side, at most
const PATIENCE = 10_000 // milliseconds that a browser has for a frame
const BYTES = 90 * 2 ** 20 // of all frames together (motes/apps/studio/video/films.py)
export const FEWEST = 3 // numbered pictures that are a film

export class OwnFilm {
  // source: { count, width, height, draw(context, n, columns, rows) }
  constructor(name, id, source) {
    const size = Math.min(SIDE / Math.max(source.width, source.height), 1)
    this.columns = Math.max(Math.round(source.width * size), 1)
    this.rows = Math.max(Math.round(source.height * size), 1)
    const most = Math.floor(BYTES / (this.columns * this.rows * 3))
    Object.assign(this, { name, id, source, rate: RATE, count: Math.min(source.count, most), whole: source.count <= most, names: [], turn: Promise.resolve() }) // names: of the frames that were looked at
    this.canvas = make("canvas", { width: this.columns, height: this.rows })
    this.context = this.canvas.getContext("2d", { willReadFrequently: true })
  }

  // One frame after the other: a video is at one place at a time.
  inTurn(job) {
    this.turn = this.turn.catch(() => null).then(job)
    return this.turn
  }

  // The picture's name by which the studio knows a frame. Of several that are asked for, the newest alone is read; the others are null.
  async picture(n, server) {
    this.wanted = n
    this.names[n] ??= await this.inTurn(() => (this.wanted === n ? this.upload(n, server) : undefined))
    return this.names[n] ?? null
  }

  async upload(n, server) {
    await this.source.draw(this.context, n, this.columns, this.rows)
    const blob = await new Promise((done) => this.canvas.toBlob(done, "image/png"))
    return server.upload(new File([blob], `${this.name} ${n + 1}.png`, { type: "image/png" }))
  }

  // Sends these frames, neighbours at once.
  async send(numbers, server) {
    for (let from = 0, to; from < numbers.length; from = to) {
      to = from + 1
      while (numbers[to] === numbers[to - 1] + 1) to++
      await this.sendNeighbours(numbers.slice(from, to), server)
    }
  }

  async sendNeighbours(numbers, server) {
    const [first] = numbers, size = this.columns * this.rows, bytes = new Uint8Array(numbers.length * size * 3)
    for (const [at, n] of numbers.entries()) bytes.set(await this.inTurn(() => this.bytes(n)), at * size * 3)
    const told = { film: this.id, first, frames: this.count, rows: this.rows, columns: this.columns, rate: this.rate, height: this.source.height, width: this.source.width }
    await server.sendFrames(told, bytes)
  }

  // Sends what the studio lacks of the frames of a question.
  async bring(question, server) {
    const { missing } = await server.ask("frames", question)
    if (missing) await this.send(missing, server)
  }

  async bytes(n) {
    await this.source.draw(this.context, n, this.columns, this.rows)
    const { data } = this.context.getImageData(0, 0, this.columns, this.rows), bytes = new Uint8Array((data.length / 4) * 3)
    for (let from = 0, to = 0; from < data.length; from += 4) for (let channel = 0; channel < 3; channel++) bytes[to++] = data[from + channel]
    return bytes
  }
}

export async function readVideo(file) {
  const video = make("video", { muted: true, playsInline: true, preload: "auto" })
  video.src = URL.createObjectURL(file)
  try {
    await heard(video, "loadeddata")
    if (!Number.isFinite(video.duration)) await seek(video, 1e7) // a recording does not say how long it is before its end
    const count = Math.max(Math.round(video.duration * RATE), 1)
    if (!video.videoWidth || !Number.isFinite(count)) throw new Error()
    const draw = async (context, n, columns, rows) => {
      await seek(video, Math.min((n + 0.5) / RATE, Math.max(video.duration - 0.001, 0)))
      context.drawImage(video, 0, 0, columns, rows)
    }
    return new OwnFilm(file.name, await nameOf([file]), { count, width: video.videoWidth, height: video.videoHeight, draw })
  } catch {
    URL.revokeObjectURL(video.src)
    throw new Error(`this browser cannot read ${file.name}; MP4 with H.264 and WebM are read by most`)
  }
}

export async function readNumbered(files) {
  const first = await createImageBitmap(files[0]), { width, height } = first
  const draw = async (context, n, columns, rows) => {
    const picture = await createImageBitmap(files[n]).catch(() => { throw new Error(`${files[n].name} cannot be read`) })
    context.clearRect(0, 0, columns, rows)
    context.drawImage(picture, 0, 0, columns, rows)
    picture.close()
  }
  return new OwnFilm(`${files[0].name} to ${files.at(-1).name}`, await nameOf(files), { count: files.length, width, height, draw })
}

// The pictures in the order of their numbers, if their names differ in a number alone.
export function numberedAmong(files) {
  const named = files.map((file) => ({ file, parts: file.name.match(/^(.*?)(\d+)(\D*)$/) }))
  const [{ parts } = {}] = named
  if (files.length < FEWEST || !named.every((one) => one.file.type.startsWith("image/") && one.parts?.[1] === parts?.[1] && one.parts[3] === parts[3])) return null
  return named.sort((a, b) => a.parts[2] - b.parts[2]).map(({ file }) => file)
}

// The same files always have the same name. Only this page reads it, so that a simple sum will do (FNV).
async function nameOf(files) {
  const head = new Uint8Array(await files[0].slice(0, 65536).arrayBuffer()), text = new TextEncoder().encode(files.map(({ name, size }) => `${name} ${size}`).join())
  let sum = 0xcbf29ce484222325n
  for (const byte of [...text, ...head]) sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n)
  return sum.toString(16).padStart(16, "0")
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
