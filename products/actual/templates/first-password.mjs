// Loaded into the server by --import. A fresh Actual lets whoever comes first choose the password; here that is the generated
// one, set through the server's own API as soon as it answers. Where a password is set already, nothing happens.
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const address = '{{urls.web}}'
const password = readFileSync(new URL('first-password.txt', import.meta.url), 'utf8').replace(/\n$/, '')

void setFirstPassword()

async function setFirstPassword() {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    await wait(100, undefined, { ref: false })
    const asked = await fetch(new URL('/account/needs-bootstrap', address)).catch(() => undefined)
    if (asked?.ok !== true) continue
    const { data } = await asked.json()
    if (data.bootstrapped) return
    const set = await fetch(new URL('/account/bootstrap', address), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ password }),
    })
    console.log(set.ok ? 'The generated password is set.' : `The generated password could not be set: status ${set.status}`)
    return
  }
}
