'use strict'
// Stores an accepted message in the Maildir of each recipient: written to tmp, synced, renamed into new, and only then
// acknowledged to the sender. What can't be stored is deferred, so that the sender keeps it. Works with Haraka 3.0 to 3.3.
const fs = require('node:fs')
const path = require('node:path')

exports.register = function () {
    this.folder = this.config.get('maildir.ini').main.folder
    if (!this.folder) throw new Error('maildir.ini names no folder')
}

exports.hook_queue = function (next, connection) {
    const txn = connection?.transaction
    if (!txn) return next()
    txn.message_stream.get_data((message) => {
        try {
            const boxes = new Set(txn.rcpt_to.map((rcpt) => mailboxOf(rcpt)))
            for (const box of boxes) store(path.join(this.folder, box), `${Date.now()}.${txn.uuid}`, message)
            connection.lognotice(this, `stored ${message.length} bytes for ${boxes.size} recipients`)
            next(OK)
        } catch (error) {
            connection.logerror(this, error.message)
            next(DENYSOFT, 'the message could not be stored')
        }
    })
}

// A local part may hold anything but must not leave the folder: what is not a plain name is escaped.
function mailboxOf(rcpt) {
    const address = `${rcpt.user}@${rcpt.host}`.toLowerCase()
    const name = address.replace(/[^a-z0-9@._+=-]/g, (c) => `%${c.codePointAt(0).toString(16)}`).replace(/^\./, '%2e')
    return name.slice(0, 200)
}

function store(box, name, message) {
    for (const part of ['tmp', 'new', 'cur']) fs.mkdirSync(path.join(box, part), { recursive: true, mode: 0o750 })
    const temporary = path.join(box, 'tmp', name)
    const descriptor = fs.openSync(temporary, 'wx', 0o640)
    try {
        fs.writeFileSync(descriptor, message)
        fs.fsyncSync(descriptor)
    } finally {
        fs.closeSync(descriptor)
    }
    fs.renameSync(temporary, path.join(box, 'new', name))
    const folder = fs.openSync(path.join(box, 'new'), 'r')
    fs.fsyncSync(folder)
    fs.closeSync(folder)
}
