// The clip of an incident as the proctor gets it: by the page's own link, read with ffmpeg.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from './demo.mjs'

const run = promisify(execFile)
/** A clip has this much before its incident began, and as much after, where it was recorded. */
const AROUND_MS = 10_000
/** It begins and ends with a whole cluster. */
const CLUSTER_MS = 2_500
/** Between two pictures of a slow screen. */
const PICTURE_MS = 1_000
/** The file's own length against what the link says of it. */
const ROUNDING_MS = 100
/** Of the pictures that are compared. */
const SIZE = { width: 32, height: 24 }
const SOUND_HZ = 8_000
/** Sound is summed up over so long. */
const SLICE_MS = 250
const OUTPUT_BYTES = 64 << 20
const PATIENCE_MS = 60_000

/** A video of a page shows a picture and knows its length. */
export const playable = video => until('the clip plays', () => video.evaluate(element =>
  element.readyState >= 2 && Number.isFinite(element.duration) && element.duration > 0 && {
    duration: element.duration, width: element.videoWidth, at: Date.now(),
  }), PATIENCE_MS)

/**
 * The clip with the seconds after, once it has them; it plays and holds what was recorded around the beginning of its incident.
 * @param {import('../browser/sitting.mjs').Sitting} sitting with a proctor
 * @param {number} no of the incident
 * @param {{ screen?: boolean }} options `screen`: that of the shared screen comes with it
 * @returns {Promise<Clip & { screen?: Clip }>}
 */
export async function clipOf(sitting, no, { screen = false } = {}) {
  const { proctor: { page }, info: { session } } = sitting
  const base = new URL(page.url()).origin
  const view = await until(`the whole clip of incident ${no}`, async () => {
    const reply = await page.request.get(`${base}/api/v1/playback/${session}/clips/${no}`)
    const view = reply.ok() && await reply.json()
    return view && view.whole && (view.screen || !screen) && view
  }, PATIENCE_MS)
  const { tracks } = await (await sitting.centre()).json(`/api/v1/playback/${session}`)
  const fetched = async (kind, { url, from, to }) => {
    const reply = await page.request.get(new URL(url, base).href)
    assert(reply.ok(), `${kind}: ${reply.status()}`)
    const file = join(sitting.demo.data, `seen-${no}-${kind}.webm`)
    writeFileSync(file, await reply.body())
    const clip = new Clip(file, from, to)
    const { parts } = tracks.find(track => track.kind === kind)
    // A share that has ended has nothing after it, whatever is recorded of the next one.
    await clip.isWhole(view.began_at, parts.filter(({ name }) => name.startsWith(kind)), { ends: kind === 'screen' })
    return clip
  }
  const clip = await fetched('webcam', view)
  if (view.screen) clip.screen = await fetched('screen', view.screen)
  return clip
}

export class Clip {
  /** `from`, `to`: of its first and its last picture or sound, milliseconds UTC. */
  constructor(file, from, to) {
    Object.assign(this, { file, from, to })
  }

  /** Every frame decodes, it is as long as it says, and nothing that was recorded around that moment is missing; `ends`: nor
   *  before it, which is all that can be said. */
  async isWhole(began, parts, { ends = false } = {}) {
    await run('ffmpeg', ['-v', 'error', '-xerror', '-i', this.file, '-f', 'null', '-'])
    const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', this.file])
    const { from, to } = this
    const said = JSON.stringify({ began, from, to, seconds: stdout.trim(), parts: parts.map(({ at, ms }) => [at, at + ms]) })
    assert(Math.abs(Number(stdout) * 1_000 - (to - from)) < ROUNDING_MS, said)
    const [first, last] = [began - AROUND_MS, began + AROUND_MS]
    const within = parts.filter(({ at, ms }) => at < last && at + ms > first)
    assert(within.length > 0, said)
    assert(from <= Math.max(first, Math.min(...within.map(({ at }) => at))) + PICTURE_MS, `the time before is missing: ${said}`)
    assert(ends || to >= Math.min(last, Math.max(...within.map(({ at, ms }) => at + ms))) - PICTURE_MS, `the time after is missing: ${said}`)
    assert(to <= last + CLUSTER_MS, `it goes on too long: ${said}`)
  }

  /** Its pictures in grey: when each was, milliseconds UTC, and its points. */
  async pictures(size = SIZE) {
    return (await pictures(this.file, size)).map(({ at, points }) => ({ at: this.from + at, points }))
  }

  /** Its pictures, and which of these files each is most alike. */
  async scenes(files) {
    const known = await Promise.all(Object.entries(files).map(async ([scene, file]) => [scene, (await pictures(file, SIZE))[0].points]))
    return (await this.pictures()).map(({ at, points }) => {
      const [nearest] = known.map(([scene, like]) => ({ scene, apart: apart(points, like) })).sort((a, b) => a.apart - b.apart)
      return { at, scene: nearest.scene, luma: mean(points) }
    })
  }

  /** Its sound: when each slice of it was, milliseconds UTC, and its energy, 0 to 32,768. */
  async sound() {
    const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', this.file, '-map', '0:a', '-ac', '1',
      '-af', `aresample=${SOUND_HZ}:async=1:first_pts=0`, '-f', 's16le', '-'], { encoding: 'buffer', maxBuffer: OUTPUT_BYTES })
    const step = SLICE_MS * SOUND_HZ / 1_000
    return Array.from({ length: Math.floor(stdout.length / 2 / step) }, (_, index) => {
      let squares = 0
      for (let at = index * step; at < (index + 1) * step; at += 1) squares += stdout.readInt16LE(at * 2) ** 2
      return { at: this.from + index * SLICE_MS, energy: Math.sqrt(squares / step) }
    })
  }
}

/** Pictures of a video in grey: milliseconds from its beginning, and the points. */
export async function pictures(file, { width, height }) {
  const { stdout, stderr } = await run('ffmpeg', ['-hide_banner', '-nostats', '-copyts', '-i', file, '-map', '0:v', '-fps_mode', 'passthrough',
    '-vf', `scale=${width}:${height}:flags=area,format=gray,showinfo`, '-f', 'rawvideo', '-'], { encoding: 'buffer', maxBuffer: OUTPUT_BYTES })
  const times = [...stderr.toString().matchAll(/ pts_time:(\S+)/g)].map(([, at]) => Number(at) * 1_000)
  assert.equal(stdout.length, times.length * width * height, 'a time for each picture')
  return times.map((at, index) => ({ at, points: stdout.subarray(index * width * height, (index + 1) * width * height) }))
}

/** How much two pictures differ: the mean difference of their points, 0 to 255. */
export function apart(one, other) {
  return one.reduce((sum, point, at) => sum + Math.abs(point - other[at]), 0) / one.length
}

/** The most that a picture differs from one at most a second older; 0 for fewer than two. */
export function motion(shown) {
  return shown.reduce((most, { at, points }, index) => {
    const older = shown.slice(0, index).findLast(one => at - one.at >= 900)
    return older && at - older.at <= 2_000 ? Math.max(most, apart(points, older.points)) : most
  }, 0)
}

const mean = points => points.reduce((sum, point) => sum + point, 0) / points.length
