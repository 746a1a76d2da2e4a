// An S3 server that shares no code with ours, over a folder of its own: rclone's, of PyPI. It checks the signature of every
// request, and each object is a file.
import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from './demo.mjs'

const RCLONE = process.env.RCLONE ?? 'rclone'
const [BUCKET, KEY_ID] = ['exams', 'exam-centre']

export class Store {
  /** With one empty bucket, which its own client has made. */
  static async start() {
    const store = new Store()
    store.#folder = mkdtempSync(join(tmpdir(), 'synaq-store-'))
    mkdirSync(store.#at('objects'))
    store.#child = spawn(RCLONE, ['serve', 's3', '--addr', '127.0.0.1:0', '--auth-key', `${KEY_ID},${store.#secret}`, store.#at('objects')],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...store.#settled } })
    store.#child.stderr.on('data', text => { store.said += text })
    store.#child.on('error', error => { store.said += error })
    store.endpoint = await until('the S3 server listens', () => /http:\/\/127\.0\.0\.1:\d+/.exec(store.said)?.[0])
    await store.asks('mkdir', `:s3:${BUCKET}`)
    return store
  }

  /** What it told. */
  said = ''

  /** What its own client makes of a command; rejects what is refused. */
  async asks(...command) {
    const env = { ...process.env, ...this.#settled, RCLONE_S3_PROVIDER: 'Rclone', RCLONE_S3_ENDPOINT: this.endpoint,
      RCLONE_S3_ACCESS_KEY_ID: KEY_ID, RCLONE_S3_SECRET_ACCESS_KEY: this.#secret }
    return (await promisify(execFile)(RCLONE, ['--retries', '1', ...command], { env })).stdout
  }

  /** The settings of `[evidence]`, as a file; nothing that the store has stays on the server's disk. */
  settings() {
    const [file, secretFile] = [this.#at('evidence.toml'), this.#at('secret')]
    writeFileSync(secretFile, this.#secret)
    const settings = { url: `s3://${BUCKET}/tests`, endpoint: this.endpoint, key_id: KEY_ID, secret_file: secretFile }
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
    writeFileSync(file, `${lines.join('')}allow_http = true\ncache_mib = 0\n`)
    return file
  }

  /** Names of all objects, as files below the bucket. */
  objects() {
    const isWhole = name => !name.includes('.rclone_temp_') && statSync(this.#object(name), { throwIfNoEntry: false })?.isFile()
    return readdirSync(this.#object(''), { recursive: true }).filter(isWhole)
  }

  /** The bytes of an object. */
  bytes(name) {
    return readFileSync(this.#object(name))
  }

  stop() {
    this.#child.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #child
  #folder
  #secret = randomUUID()

  /** No settings of whoever runs the tests. */
  get #settled() {
    return { RCLONE_CONFIG: this.#at('none.conf') }
  }

  #at(name) {
    return join(this.#folder, name)
  }

  #object(name) {
    return join(this.#folder, 'objects', BUCKET, name)
  }
}
