// What the measuring programs share: figures of a series, CPU time of a browser, and the exam they look at.
import { readFileSync, readdirSync } from 'node:fs'
import { cpus } from 'node:os'

/** What the kernel counts CPU time in (`getconf CLK_TCK`), the same on every Linux. */
const TICKS_PER_S = 100

/** Nearest-rank percentiles of a series. */
export function figures(series) {
  const sorted = [...series].sort((a, b) => a - b)
  const at = part => Math.round((sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? NaN) * 10) / 10
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), most: at(1) }
}

/** Seconds of CPU that a browser, found by a word of its command line, and its descendants have used so far. */
export function cpuSeconds(word) {
  return Object.values(cpuByKind(word)).reduce((sum, seconds) => sum + seconds, 0)
}

/** The same by Chromium's kinds of processes: `browser`, `renderer` (the pages), `utility` (camera, sound, network). */
export function cpuByKind(word) {
  const processes = readdirSync('/proc').filter(name => /^\d+$/.test(name)).flatMap(look)
  const family = new Set(processes.filter(({ said }) => said.includes(word)).map(({ pid }) => pid))
  for (let before = -1; before !== family.size;) {
    before = family.size
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid)
  }
  const seconds = {}
  for (const { said, ticks } of processes.filter(({ pid }) => family.has(pid))) {
    const [, kind = 'browser'] = /--type=([a-z]+)/.exec(said) ?? []
    seconds[kind] = (seconds[kind] ?? 0) + ticks / TICKS_PER_S
  }
  return seconds
}

/** A process, unless it has ended meanwhile. */
function look(pid) {
  try {
    const said = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    const [, parent, ...rest] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return [{ pid, parent, said, ticks: Number(rest[9]) + Number(rest[10]) }]
  } catch {
    return []
  }
}

export function print(what) {
  const [{ model } = { model: 'unknown' }] = cpus()
  console.log(JSON.stringify({ ...what, machine: { cores: cpus().length, model } }, null, 2))
}
