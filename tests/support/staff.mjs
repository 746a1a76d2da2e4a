// The staff's API without a browser: to look at what the pages cannot know better than the log.
import assert from 'node:assert/strict'

export class Staff {
  static async signIn(demo, { login, password }) {
    const staff = new Staff()
    staff.base = demo.links.base_url
    const response = await fetch(`${staff.base}/api/v1/staff/sign-in`, {
      method: 'POST', headers: { 'Content-Type': 'application/json', Origin: staff.base },
      body: JSON.stringify({ login, password }),
    })
    assert.equal(response.status, 200, await response.clone().text())
    staff.cookie = response.headers.get('set-cookie').split(';')[0]
    return staff
  }

  async get(path) {
    const response = await fetch(this.base + path, { headers: { Cookie: this.cookie } })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response
  }

  /** What the server makes of it. */
  async post(path, type, body) {
    const response = await fetch(this.base + path, {
      method: 'POST', headers: { 'Content-Type': type, Cookie: this.cookie, Origin: this.base }, body,
    })
    assert(response.ok, `${path}: ${response.status} ${await response.clone().text()}`)
    return response.json()
  }

  async json(path) {
    return (await this.get(path)).json()
  }
}

/** Whose link it is: session and name, without binding anything. */
export async function behind(link) {
  const url = new URL(link)
  const response = await fetch(`${url.origin}/api/v1/candidate/open`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ link: url.pathname.split('/').pop() }),
  })
  assert.equal(response.status, 200, await response.clone().text())
  return response.json()
}
