// Made when the tests run, never committed: a fake camera's clip with a drawn person, speech for the fake
// microphone, a picture of a document.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Head and shoulders that sway, before a wall with a gradient: `lum` is what a camera would see of it. */
const HEAD = 'lt(pow((X-160-9*sin(T*1.3))/40\\,2)+pow((Y-95-3*cos(T*0.9))/52\\,2)\\,1)'
const BODY = 'lt(pow((X-160-6*sin(T*1.3))/95\\,2)+pow((Y-240)/95\\,2)\\,1)'
const EYES = 'lt(min(pow(X-144-9*sin(T*1.3)\\,2)\\,pow(X-176-9*sin(T*1.3)\\,2))+pow(Y-88-3*cos(T*0.9)\\,2)\\,16)'
const PERSON = `geq=lum='if(${EYES}\\,30\\,if(${HEAD}\\,185\\,if(${BODY}\\,70\\,110+Y/6+X/12)))'` +
  `:cb='if(${HEAD}\\,108\\,if(${BODY}\\,150\\,124))':cr='if(${HEAD}\\,152\\,if(${BODY}\\,112\\,126))'`
/** Sensor noise, without which the picture would count as frozen. */
const NOISE = 'noise=alls=6:allf=t'

const SPEECH = 'Бірінші сұрақты оқып шықтым. Екінші сұраққа көшемін.'

/**
 * Absolute paths of the fixtures; made at the first call on this machine.
 * @returns {{ camera: string, microphone: string, document: string }}
 */
export function fixtures() {
  const recipe = createHash('sha256').update(readFileSync(new URL(import.meta.url))).digest('hex').slice(0, 12)
  const folder = join(tmpdir(), `synaq-fixtures-${recipe}`)
  if (!existsSync(folder)) {
    const draft = mkdtempSync(join(tmpdir(), 'synaq-fixtures-draft-'))
    make(draft)
    try {
      renameSync(draft, folder)
    } catch {
      // Another test was faster.
      rmSync(draft, { recursive: true })
    }
  }
  const at = name => join(folder, name)
  return { camera: at('camera.mjpeg'), microphone: at('speech.wav'), document: at('document.jpg') }
}

function make(folder) {
  mkdirSync(folder, { recursive: true })
  const at = name => join(folder, name)
  ffmpeg('-f', 'lavfi', '-i', 'color=c=gray:s=320x240:r=15:d=6', '-vf',
    `format=yuv444p,${PERSON},scale=640:480,${NOISE},format=yuvj420p`, '-q:v', '4', '-f', 'mjpeg', at('camera.mjpeg'))
  execFileSync('espeak-ng', ['-v', 'kk', '-s', '150', '-w', at('spoken.wav'), SPEECH])
  ffmpeg('-i', at('spoken.wav'), '-af', 'apad=pad_dur=1', '-ar', '48000', '-ac', '1', '-c:a', 'pcm_s16le', at('speech.wav'))
  ffmpeg('-f', 'lavfi', '-i', 'color=c=0xdfe8ef:s=1000x630:d=1', '-frames:v', '1', '-update', '1', '-vf',
    'drawbox=x=40:y=120:w=250:h=320:c=0x8fa3b5:t=fill,drawbox=x=330:y=130:w=560:h=24:c=0x34404c:t=fill,' +
    'drawbox=x=330:y=200:w=420:h=24:c=0x34404c:t=fill,drawbox=x=330:y=270:w=500:h=24:c=0x34404c:t=fill,' +
    'drawbox=x=0:y=0:w=1000:h=70:c=0x1f6f8b:t=fill,drawbox=x=0:y=540:w=1000:h=60:c=0xbcc8d2:t=fill,noise=alls=4',
    '-q:v', '3', at('document.jpg'))
}

function ffmpeg(...options) {
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...options], { stdio: ['ignore', 'inherit', 'inherit'] })
}
