// Node-RED's settings, written by Assent; edits of yours are kept and merged when the release changes.
// Every property is explained at https://nodered.org/docs/user-guide/runtime/configuration
'use strict'
const { createHash, timingSafeEqual } = require('node:crypto')
const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const user = '{{webUser}}'
const password = secret('admin-password')
const ownToken = `basic.${Buffer.from(`${user}:${password}`).toString('base64')}`

module.exports = {
  uiHost: '{{listen}}',
  uiPort: {{webPort}},
  flowFile: 'flows.json',
  flowFilePretty: true,
  credentialSecret: secret('credential-secret'),

  // The editor asks for the generated password. Node-RED itself allows 5 wrong ones in 10 minutes.
  adminAuth: {
    type: 'credentials',
    users: async (name) => (name === user ? { username: user, permissions: '*' } : null),
    authenticate: async (name, given) =>
      name === user && same(given, password) ? { username: user, permissions: '*' } : null,
    tokenHeader: 'authorization',
    tokens: async (token) => (same(token, ownToken) ? { username: 'assent', permissions: 'settings.read' } : null),
  },
  httpAdminMiddleware: letAssentReadSettings,

  // Node-RED's own telemetry. A yes in the editor would be stored elsewhere (.config.runtime.json) and beat this line:
  // Assent clears it before every start, and reads /settings to see that it is off.
  telemetry: { enabled: false, updateNotification: false },

  diagnostics: { enabled: true, ui: true },
  runtimeState: { enabled: false, ui: false },
  logging: { console: { level: 'info', metrics: false, audit: false } },
  exportGlobalContextKeys: false,
  editorTheme: { tours: false, projects: { enabled: false } },
  functionExternalModules: true,
  functionTimeout: 0,
}

// The admin API knows no basic authentication, which is what a health check sends. It is taken from this machine only, not
// through a proxy, and it may read the settings and nothing else.
function letAssentReadSettings(req, res, next) {
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/.exec(req.headers.authorization ?? '')
  const local = req.socket.remoteAddress === req.socket.localAddress
  const direct = !('x-forwarded-for' in req.headers) && !('forwarded' in req.headers)
  if (basic && local && direct) req.headers.authorization = `Bearer basic.${basic[1]}`
  next()
}

function secret(file) {
  return readFileSync(join(__dirname, file), 'utf8').replace(/\n$/, '')
}

function same(given, expected) {
  const digest = (text) => createHash('sha256').update(String(text)).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
