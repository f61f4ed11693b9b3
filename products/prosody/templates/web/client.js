// Starts Converse.js for {{domain}}. It asks nobody but the server that it came from.

const socket = new URL('xmpp-websocket', location.href);
socket.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
// Browsers tell an objection to being counted with pages, but not all of them with sockets.
if (navigator.globalPrivacyControl === true || navigator.doNotTrack === '1') socket.search = '?objects';

converse.initialize({
  view_mode: 'fullscreen',
  assets_path: new URL('dist/', location.href).pathname,
  websocket_url: socket.href,
  discover_connection_methods: false,
  authentication: 'login',
  auto_login: false,
  allow_registration: false,
  locked_domain: '{{domain}}',
  muc_domain: 'rooms.{{domain}}',
  locked_muc_domain: false,
  allow_non_roster_messaging: true,
  archived_messages_page_size: 50,
  message_archiving: 'always',
  render_media: false,
  play_sounds: false,
  i18n: 'en',
  loglevel: 'warn',
});
