// The player of recordings, in whatever page it stands.
import assert from 'node:assert/strict'
import { until } from '../../support/demo.mjs'

export class Player {
  constructor(page) {
    this.page = page
  }

  at(testid) {
    return this.page.getByTestId(testid)
  }

  async ready() {
    await this.at('playback-position').waitFor()
  }

  /** Where it stands, milliseconds UTC. */
  async time() {
    return Number(await this.at('playback').getAttribute('data-at'))
  }

  /** As somebody does who moves the handle there. */
  async seek(moment) {
    await this.at('playback-position').evaluate((input, moment) => {
      input.value = String(moment)
      input.dispatchEvent(new Event('input', { bubbles: true }))
    }, Math.round(moment))
  }

  /** Goes there; the video holds the picture of that recording and that place. */
  async shows(moment, part) {
    await this.seek(moment)
    const state = await until(`the picture of ${moment - part.at} ms in ${part.name}`, async () => {
      const video = await this.at('playback-webcam').evaluate(element => ({
        name: element.dataset.name, time: element.currentTime, seeking: element.seeking, ready: element.readyState,
        width: element.videoWidth, error: element.error?.message,
      }))
      assert.equal(video.error, undefined)
      return video.name === part.name && !video.seeking && video.ready >= 2 && video
    })
    // The handle goes by whole seconds.
    assert(Math.abs(state.time * 1_000 - (moment - part.at)) < 1_100, `${state.time} s for ${moment - part.at} ms`)
    assert(state.width > 0)
  }
}
