// The line between a browser and the server: a TCP relay that can be cut like a cable. The browser is told to find
// the server's address behind it, so pages, cookies and origins stay what they are.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

export class Line {
  static async to(port) {
    const line = new Line()
    line.#port = port
    line.#server = createServer(client => line.#join(client)).listen(0, '127.0.0.1')
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

  close() {
    this.cut()
    this.#server.close()
  }

  #port
  #server
  #isCut = false
  #sockets = new Set()

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
      one.pipe(other)
    }
  }
}
