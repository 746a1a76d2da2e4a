// The line between a browser and the server: a TCP relay that can be cut like a cable, and a UDP relay for sound and
// picture. Both share one rate, as at home. The browser is told to find the server's address behind it, so pages,
// cookies and origins stay what they are.
import { once } from 'node:events'
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'

/** A home router's queue: what comes when it is full is lost (UDP) or waits at the sender (TCP). */
const QUEUE_MS = 600

export class Line {
  static async to(port) {
    const line = new Line()
    line.#port = port
    line.#server = createServer({ pauseOnConnect: false }, client => line.#join(client)).listen(0, '127.0.0.1')
    await once(line.#server, 'listening')
    return line
  }

  /** For Chromium: whoever asks for the server gets the relay. */
  get rule() {
    return `--host-resolver-rules=MAP localhost:${this.#port} 127.0.0.1:${this.#server.address().port}`
  }

  /** Every connection breaks, none is taken. */
  cut() {
    this.#isCut = true
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  mend() {
    this.#isCut = false
  }

  /** Bits per second towards the server, of TCP and UDP together; none: as fast as it goes. */
  set rate(bits) {
    this.#rate = bits
  }

  /** Sound and picture of pages of this context take the line too: their way to the server's media port is relayed. */
  async relayMedia(page) {
    await page.exposeFunction('mediaRelay', port => this.#relayTo(port))
    await page.addInitScript(() => {
      const answer = RTCPeerConnection.prototype.setRemoteDescription
      RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
        const port = Number(/^a=candidate:\S+ \d+ udp \d+ \S+ (\d+)/im.exec(description.sdp)?.[1])
        const relay = await globalThis.mediaRelay(port)
        const lines = description.sdp.split('\r\n').filter(line => !/^a=candidate:.* tcp /i.test(line))
        const sdp = lines.join('\r\n').replace(/^(a=candidate:\S+ \d+ udp \d+) \S+ \d+/gim, `$1 127.0.0.1 ${relay}`)
        return answer.call(this, { type: description.type, sdp })
      }
    })
  }

  /** Nothing of sound and picture comes through, in neither direction. */
  blockMedia() {
    this.#mediaBlocked = true
  }

  openMedia() {
    this.#mediaBlocked = false
  }

  /** As a NAT that forgot its mappings: from now on sound and picture come from other ports, and to the old ones comes nothing. */
  async rebindMedia() {
    const old = [...this.#backs.values()]
    this.#backs.clear()
    for (const back of old) (await back).close()
  }

  close() {
    this.cut()
    this.#server.close()
    for (const socket of this.#udp) socket.close()
  }

  #port
  #server
  #isCut = false
  #mediaBlocked = false
  #rate
  /** When what was let through so far has left the line */
  #freeAt = 0
  #sockets = new Set()
  #udp = new Set()
  #relays = new Map()
  /** The server's side, by whose datagrams go through it and where to */
  #backs = new Map()

  /** Milliseconds until these bytes have left; they are taken into the queue. */
  #queue(bytes) {
    if (!this.#rate) return 0
    const now = performance.now()
    this.#freeAt = Math.max(this.#freeAt, now) + bytes * 8_000 / this.#rate
    return this.#freeAt - now
  }

  #join(client) {
    if (this.#isCut) return client.resetAndDestroy()
    const server = connect(this.#port, '127.0.0.1')
    for (const [one, other] of [[client, server], [server, client]]) {
      this.#sockets.add(one)
      one.setNoDelay(true)
      one.on('error', () => {})
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
    }
    server.pipe(client)
    // Read only as fast as the line carries: the rest waits at the sender.
    client.on('data', bytes => {
      const wait = this.#queue(bytes.length)
      if (wait === 0) return void server.write(bytes)
      client.pause()
      setTimeout(() => {
        server.write(bytes)
        client.resume()
      }, wait)
    })
    client.on('end', () => server.end())
  }

  /** A port of ours that leads to that port of the server, one socket of the server's side for each of the browser's. */
  async #relayTo(port) {
    let relay = this.#relays.get(port)
    if (!relay) this.#relays.set(port, relay = this.#openRelay(port))
    return relay
  }

  async #openRelay(port) {
    const front = await this.#udpSocket()
    front.on('message', async (bytes, { address, port: from }) => {
      if (this.#mediaBlocked) return
      const wait = this.#queue(bytes.length)
      if (wait > QUEUE_MS) return
      const whose = `${address} ${from} ${port}`
      let back = this.#backs.get(whose)
      if (!back) {
        this.#backs.set(whose, back = this.#udpSocket())
        ;(await back).on('message', answer => !this.#mediaBlocked && front.send(answer, from, address))
      }
      const out = await back
      const send = () => this.#udp.has(out) && out.send(bytes, port, '127.0.0.1')
      if (wait === 0) send()
      else setTimeout(send, wait)
    })
    return front.address().port
  }

  async #udpSocket() {
    const socket = createSocket('udp4')
    socket.on('error', () => {})
    socket.on('close', () => this.#udp.delete(socket))
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    this.#udp.add(socket)
    return socket
  }
}
