-- Serves the WebClient: its page at /, from the configuration, and Converse.js below /dist/, from the release.
--
-- The page may load and ask nothing but this server, whatever stands in a message: the policy below says so to the browser.

module:depends("http");
local serve = require "net.http.files".serve;

local types = {
	html = "text/html; charset=utf-8"; js = "text/javascript; charset=utf-8"; css = "text/css; charset=utf-8"; json = "application/json";
	svg = "image/svg+xml"; png = "image/png"; ico = "image/x-icon"; mp3 = "audio/mpeg"; ogg = "audio/ogg";
	woff = "font/woff"; woff2 = "font/woff2"; ttf = "font/ttf"; eot = "application/vnd.ms-fontobject";
};

local policy = table.concat({
	"default-src 'none'"; "script-src 'self'"; "style-src 'self' 'unsafe-inline'"; "img-src 'self' data: blob:"; "media-src 'self' blob:";
	"font-src 'self' data:"; "connect-src 'self'"; "manifest-src 'self'"; "worker-src 'self'"; "base-uri 'none'"; "form-action 'self'";
	"frame-ancestors 'self'";
}, "; ");

local function shut_in(handler)
	return function (event, path)
		local headers = event.response.headers;
		headers.content_security_policy = policy;
		headers.x_content_type_options = "nosniff";
		headers.referrer_policy = "no-referrer";
		headers.cache_control = "no-cache";
		return handler(event, path);
	end;
end

local page = shut_in(serve({ path = module:get_option_string("webclient_page"); mime_map = types; cache_max_file_size = 65536 }));
local dist = shut_in(serve({ path = module:get_option_string("webclient_dist"); mime_map = types }));

module:provides("http", {
	name = "webclient";
	default_path = "/";
	cors = { enabled = false };
	route = {
		["GET /"] = function (event) return page(event, "/index.html"); end;
		["GET /client.js"] = function (event) return page(event, "/client.js"); end;
		["GET /client.css"] = function (event) return page(event, "/client.css"); end;
		["GET /dist/*"] = dist;
	};
});
