-- Prosody for {{domain}}. Your edits of this file are kept: upgrades merge them with what is new here.
-- What the options mean: https://prosody.im/doc/configure

admins = { "{{admin}}@{{domain}}" }
data_path = "{{data}}"
plugin_paths = { "{{config}}/modules" }
umask = "077"
log = { info = "*console" }
admin_socket = "{{data}}/prosody.sock"

modules_enabled = {
	-- What every server needs
	"roster"; "saslauth"; "tls"; "disco";
	-- Contacts, profiles, several devices at once
	"blocklist"; "bookmarks"; "carbons"; "pep"; "smacks"; "vcard4"; "vcard_legacy";
	"ping"; "time"; "uptime"; "version"; "csi_simple";
{{#archive}}
	"mam";
{{/archive}}
	-- Other servers
	"dialback"; "s2s_bidi";
	-- Administration: by the first account in its client, and by config/prosodyctl
	"adhoc"; "admin_adhoc"; "admin_shell"; "limits";
	-- The web: client, connection, uploads
	"http"; "websocket"; "webclient"; "http_file_share";
	-- Set only while a yes to telemetry is on record; see mod_webclient_counts.lua.
	ENV_COUNT_TO and "webclient_counts";
}
webclient_counts_to = ENV_COUNT_TO

-- Accounts are made by the administrator, never by strangers.
allow_registration = false
authentication = "internal_hashed"
storage = "internal"

interfaces = { "{{listen}}" }
c2s_ports = { {{clientPort}} }
s2s_ports = { {{federationPort}} }
http_interfaces = { "{{listen}}" }
https_interfaces = { "{{listen}}" }
http_default_host = "{{domain}}"
http_external_url = "{{urls.web}}/"

{{#certificate}}
local certificate = { certificate = "{{certificate}}"; key = "{{certificateKey}}" }
{{/certificate}}
{{^certificate}}
{{#selfSigned}}
local certificate = { certificate = "{{data}}/self-signed.crt"; key = "{{data}}/self-signed.key" }
{{/selfSigned}}
{{^selfSigned}}
-- Plain text: for this machine only, or behind a proxy that encrypts.
local certificate
{{/selfSigned}}
{{/certificate}}
if certificate then
	ssl = certificate
	http_ports = {}
	https_ports = { {{webPort}} }
else
	modules_disabled = { "tls" }
	http_ports = { {{webPort}} }
	https_ports = {}
end
c2s_require_encryption = certificate ~= nil
s2s_require_encryption = certificate ~= nil
s2s_secure_auth = true

limits = {
	c2s = { rate = "10kb/s" };
	s2sin = { rate = "30kb/s" };
}

{{#archive}}
default_archive_policy = true
archive_expires_after = {{archiveDays}} * 86400
{{/archive}}
http_file_share_size_limit = {{uploadMegabytes}} * 1024 * 1024
http_file_share_daily_quota = 20 * {{uploadMegabytes}} * 1024 * 1024
http_file_share_expires_after = {{archiveDays}} * 86400

webclient_page = "{{config}}/web"
webclient_dist = "{{release}}/webclient/node_modules/converse.js/dist"

VirtualHost "{{domain}}"

Component "rooms.{{domain}}" "muc"
	name = "Rooms"
	restrict_room_creation = "local"
{{#archive}}
	modules_enabled = { "muc_mam" }
	muc_log_expires_after = {{archiveDays}} * 86400
{{/archive}}
