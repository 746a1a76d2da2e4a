// A TURN relay of our own on loopback (coturn), with a secret that nobody else knows.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

/** A port that nobody listens on now. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

export class Relay {
  /** `folder` takes its files. */
  static async start(folder) {
    const relay = new Relay()
    relay.secret = randomUUID()
    relay.port = await freePort()
    relay.secretFile = join(folder, 'turn-secret')
    writeFileSync(relay.secretFile, relay.secret)
    relay.#child = spawn('turnserver', [
      '-n', '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${relay.port}`, '--realm=synaq.test',
      '--use-auth-secret', `--static-auth-secret=${relay.secret}`, '--allow-loopback-peers', '--no-cli', '--no-tls', '--no-dtls',
      '--log-file=stdout', '--simple-log', '--verbose', `--pidfile=${join(folder, 'turn.pid')}`, `--userdb=${join(folder, 'turn.db')}`,
    ], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [relay.#child.stdout, relay.#child.stderr]) stream.on('data', bytes => { relay.said += bytes })
    return relay
  }

  /** What it told on its standard output. */
  said = ''

  get url() {
    return `turn:127.0.0.1:${this.port}?transport=udp`
  }

  get isUp() {
    return /listener opened/i.test(this.said)
  }

  stop() {
    this.#child.kill()
  }

  #child
}
