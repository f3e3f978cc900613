// The one file that talks to the server; or, in an exported site, reads the answers that were written beforehand.

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

class Live {
  constructor(greeted, lost) {
    this.waiting = new Map()
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
      this.newest = this.inFlight = null
      this.lost(reason)
      setTimeout(() => this.connect(), 1500)
    }
  }

  heard(facts) {
    if (facts.session) {
      this.session = facts.session
      this.largest = facts.largest
      this.greeted(facts)
      return
    }
    const asked = this.waiting.get(facts.n)
    this.waiting.delete(facts.n)
    if (!asked) return
    if (facts.superseded) asked.refuse(new Error("")) // a newer one will be answered
    else if (facts.problem) asked.refuse(new Error(facts.problem))
    else asked.answer(facts)
  }

  ask(ask, told) {
    return new Promise((answer, refuse) => {
      if (this.socket.readyState !== WebSocket.OPEN) return refuse(new Error("the studio is not there"))
      this.waiting.set(++this.number, { answer, refuse })
      this.socket.send(JSON.stringify({ ask, n: this.number, ...told }))
    })
  }

  // One in flight; while it is, only the newest is remembered.
  decode(told, answer, refuse) {
    this.newest = { told, answer, refuse }
    if (!this.inFlight) this.nextDecode()
  }

  async nextDecode() {
    const { told, answer, refuse } = (this.inFlight = this.newest)
    this.newest = null
    try {
      answer(await this.ask("decode", told), told)
    } catch (problem) {
      refuse(problem)
    }
    this.inFlight = null
    if (this.newest) this.nextDecode()
  }

  async upload(file) {
    if (file.size > this.largest) throw new Error(`this file is larger than ${this.largest.toLocaleString("en")} bytes; scale the picture down first`)
    const said = await fetch("pictures", { method: "POST", body: file, headers: { "x-motes-session": this.session } })
    if (!said.ok) throw new Error((await said.text()).trim())
    return (await said.json()).picture
  }

  thumb(picture) {
    return "thumb?picture=" + encodeURIComponent(picture)
  }

  async progress(run, after) {
    const said = await fetch(`progress/${run}?after=${after}`)
    if (!said.ok) throw new Error((await said.text()).trim())
    return said.json()
  }

  runPicture(run, name) {
    return `progress/${run}/${name}`
  }
}

// A site without a server: what was opened beforehand can be dragged; what needs the model says so.
class Written {
  constructor(greeted, lost, facts) {
    this.facts = facts
    this.live = false
    setTimeout(() => greeted({ ...facts, session: "" }))
  }

  async ask(ask, told) {
    const file = this.facts.written[`${told.run} ${told.picture}`]
    if (ask !== "open" || !file) throw new Error("this page has no model behind it; run motes studio for that")
    return { ...unpack(await (await fetch(`site/${file}`)).arrayBuffer()), run: told.run, picture: told.picture }
  }

  decode(told, answer, refuse) {
    refuse(new Error("")) // what is laid in the browser stands
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
  const written = document.querySelector("meta[name=motes-site]")?.content
  if (!written) return new Live(greeted, lost)
  return new Written(greeted, lost, await (await fetch(written)).json())
}
