// The one file that talks to the server; or, in an exported site, reads the answers that were written beforehand.

const MOST_LINES = 8000

export function unpack(buffer) {
  const view = new DataView(buffer), length = view.getUint32(0, true)
  const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)))
  let at = 4 + length
  for (const { name, type, shape } of facts.arrays || []) {
    const size = shape.reduce((all, one) => all * one, 1)
    const Kind = type === "uint16" ? Uint16Array : Uint8Array
    facts[name] = { shape, data: new Kind(buffer, at, size) }
    at += Math.ceil((size * Kind.BYTES_PER_ELEMENT) / 4) * 4
  }
  return facts
}

// What a request gets; its words where it is refused.
async function json(request) {
  const response = await request
  if (!response.ok) throw new Error((await response.text()).trim())
  return response.json()
}

const REMEMBERED = 8 // pictures of a page that the studio remembers (motes/apps/studio/desk.py)

class Live {
  constructor(greeted, lost) {
    this.waiting = new Map()
    this.files = new Map() // a person's own pictures, by their names
    this.patient = [] // decodes that are not of the edit at hand
    this.handed = [] // the names of those that the studio remembers, the newest last
    this.number = 0
    this.greeted = greeted
    this.lost = lost
    this.live = true
    this.connect()
  }

  connect() {
    this.socket = new WebSocket(new URL("talk", location.href.replace(/^http/, "ws").split(/[?#]/)[0]))
    this.socket.binaryType = "arraybuffer"
    this.socket.onmessage = ({ data }) => this.heard(unpack(data))
    this.socket.onclose = ({ reason }) => {
      for (const { refuse } of this.waiting.values()) refuse(new Error("the studio is not there"))
      this.waiting.clear()
      for (const { refuse } of this.patient.splice(0)) refuse(new Error("the studio is not there"))
      this.newest = this.inFlight = null
      this.lost(reason)
      setTimeout(() => this.connect(), 1500)
    }
  }

  heard(facts) {
    if (facts.session) {
      this.session = facts.session
      this.handed = []
      this.largest = facts.largest
      this.names = facts.runs.map(({ name }) => name)
      this.greeted(facts)
      return
    }
    const question = this.waiting.get(facts.n)
    this.waiting.delete(facts.n)
    if (!question) return
    if (facts.superseded) question.refuse(new Error("")) // a newer one will be answered
    else if (facts.problem) question.refuse(new Error(facts.problem))
    else question.answer(facts)
  }

  async ask(ask, facts) {
    for (const [name] of JSON.stringify(facts).matchAll(/dropped\/\w+/g)) if (this.files.has(name) && !this.handed.includes(name)) await this.send(this.files.get(name))
    return this.question(ask, facts)
  }

  question(ask, facts) {
    return new Promise((answer, refuse) => {
      if (this.socket.readyState !== WebSocket.OPEN) return refuse(new Error("the studio is not there"))
      this.waiting.set(++this.number, { answer, refuse })
      this.socket.send(JSON.stringify({ ask, n: this.number, ...facts }))
    })
  }

  // One in flight; while it is, only the newest is remembered.
  decode(question, answer, refuse) {
    this.newest = { question, answer, refuse }
    if (!this.inFlight) this.nextDecode()
  }

  async nextDecode() {
    const { question, answer, refuse } = (this.inFlight = this.newest ?? this.patient.shift())
    if (this.inFlight === this.newest) this.newest = null
    try {
      answer(await this.ask("decode", question), question)
    } catch (problem) {
      refuse(problem)
    }
    this.inFlight = null
    if (this.newest || this.patient.length) this.nextDecode()
  }

  // A decode that waits for those of the edit at hand: to the studio a second one would take the place of the first.
  decodeLater(question) {
    return new Promise((answer, refuse) => {
      this.patient.push({ question, answer, refuse })
      if (!this.inFlight) this.nextDecode()
    })
  }

  // Takes a picture in, and keeps it: the studio remembers the newest ones only, and none after a restart.
  async upload(file) {
    const name = await this.send(file)
    this.files.set(name, file)
    return name
  }

  async send(file) {
    if (file.size > this.largest) throw new Error(`this file is larger than ${this.largest.toLocaleString("en")} bytes; scale the picture down first`)
    const { picture } = await json(fetch("pictures", { method: "POST", body: file, headers: { "x-motes-session": this.session } }))
    this.handed = [...this.handed.filter((name) => name !== picture), picture].slice(-REMEMBERED)
    return picture
  }

  // Frames of a person's own film, as bytes of red, green and blue.
  sendFrames(told, bytes) {
    return json(fetch(`frames?${new URLSearchParams(told)}`, { method: "POST", body: bytes, headers: { "x-motes-session": this.session } }))
  }

  thumb(picture) {
    return "thumb?picture=" + encodeURIComponent(picture)
  }

  // What a run wrote, joined to what is known of it; from the beginning, thinned out, where much has come together.
  async progress(run, known = { lines: [], until: "" }) {
    const after = known.lines.length > MOST_LINES ? "" : known.until
    const found = await json(fetch(`progress?run=${encodeURIComponent(this.names[run])}&after=${after}`))
    return { ...found, lines: found.goes_on ? [...known.lines, ...found.lines] : found.lines }
  }

  runPicture(run, name) {
    return `progress/picture?run=${encodeURIComponent(this.names[run])}&name=${name}`
  }
}

// A site without a server: what was opened beforehand can be dragged; what needs the model says so.
class Written {
  constructor(greeted, lost, facts) {
    this.facts = facts
    this.live = false
    this.files = new Map()
    setTimeout(() => greeted({ ...facts, session: "" }))
  }

  async ask(ask, { run, picture }) {
    const file = this.facts.written[`${run} ${picture}`]
    if (ask !== "open" || !file) throw new Error("this page has no model behind it; run motes studio for that")
    return { ...unpack(await this.load(file)), run, picture }
  }

  // A page that is opened from a disk may load nothing but scripts.
  async load(file) {
    const { answers } = this.facts
    if (!answers[file]) {
      const script = document.createElement("script")
      await new Promise((done, failed) => {
        Object.assign(script, { src: `site/${file}`, onload: done, onerror: () => failed(new Error("a file of this page is missing: site/" + file)) })
        document.head.append(script)
      })
      script.remove()
    }
    return Uint8Array.from(atob(answers[file]), (letter) => letter.charCodeAt(0)).buffer
  }

  decode(question, answer, refuse) {
    refuse(new Error("")) // what is laid in the browser stands
  }

  async decodeLater() {
    throw new Error("this page has no model behind it")
  }

  async upload() {
    throw new Error("pictures can be dropped in where the model is: motes studio RUN")
  }

  thumb(picture) {
    return "site/" + this.facts.thumbs[picture]
  }

  async progress() {
    throw new Error("this page has no run behind it")
  }
}

export async function connect(greeted, lost) {
  return window.motesSite ? new Written(greeted, lost, window.motesSite) : new Live(greeted, lost)
}
