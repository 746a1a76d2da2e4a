// A sitting whose programme asks for the whole screen, made as a centre makes one.
import { readFileSync } from 'node:fs'

const PROGRAMME = new URL('../../question-banks/demo/confectioner/programme.toml', import.meta.url)
const OPEN_MS = 3_600_000

/** Chromium's stand-in for a desktop, chosen without a dialog. */
export const DESKTOP = '--use-fake-device-for-media-stream=display-media-type=monitor'

/** The demo's programme with the screen, and one candidate. */
export async function sittingWithScreen(centre) {
  const toml = readFileSync(PROGRAMME, 'utf8').replace(/^version = 1$/m, 'version = 2') + '\n[supervision]\nscreen = true\n'
  const { programme, screen } = await centre.post('/api/v1/centre/programmes', 'application/toml', toml)
  if (!screen) throw new Error('the programme does not ask for the screen')
  const now = Date.now()
  const { sitting } = await centre.post('/api/v1/centre/sittings', 'application/json',
    JSON.stringify({ title: 'With the screen', programme, opens_at: now - 60_000, closes_at: now + OPEN_MS }))
  await centre.post(`/api/v1/centre/sittings/${sitting}/candidates`, 'text/csv', 'ФИО;ИИН\nЕсімова Сәуле Маратқызы;KZ:N0000009\n')
  const { candidates: [{ link }] } = await centre.json(`/api/v1/centre/sittings/${sitting}`)
  return { sitting, link }
}
