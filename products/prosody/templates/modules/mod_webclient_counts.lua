-- Hands what the WebClient does over to Assent's counting, through a socket. Loaded only while a yes to telemetry is on record, and what listens
-- there asks again before it counts anything. Nothing is kept here and nothing is written to a file.
--
-- A line is a request of a few made-up routes, with what the counting needs to tell clients apart in memory (the address, forgotten there) and
-- to leave out who objects (Sec-GPC, DNT). No account, no message and no name is in it.

local json = require "util.json";
local server = require "net.http.server";
local have_unix, unix = pcall(require, "socket.unix");
local path = module:get_option_string("webclient_counts_to");

local pause = 2;
local socket, next_try = nil, 0;

local function connected()
	if socket or not have_unix or os.time() < next_try then return socket; end
	next_try = os.time() + pause;
	local one = (type(unix) == "table" and unix.stream or unix)();
	one:settimeout(0);
	if one:connect(path) then socket = one; else one:close(); end
	return socket;
end

-- What can't be sent at once is dropped: no number is worth making anybody wait.
local function send(line)
	local to = connected();
	if not to then return; end
	local sent = to:send(line);
	if sent == #line then return; end
	to:close();
	socket = nil;
end

local function objects(request)
	return request.url and request.url.query == "objects";
end

local function hand_over(method, route, request, status)
	local headers = request.headers;
	send(json.encode({
		time = os.time(); method = method; path = route; status = status; address = request.ip;
		agent = headers.user_agent or ""; gpc = objects(request) and "1" or headers.sec_gpc or "-"; dnt = headers.dnt or "-";
	}) .. "\n");
end

-- The page and uploads are requests of their own; they count once they are answered. Another `send` or file in the way of an answer ends in `done`.
module:hook_object_event(server, "GET " .. module.host .. "/", function (event)
	local request, response = event.request, event.response;
	local done = response.done;
	function response:done()
		hand_over("GET", "/", request, self.status_code);
		return done(self);
	end
end, 10);

module:wrap_object_event(server._events, false, function (handlers, name, event)
	local response = type(event) == "table" and event.response;
	if response and name:find("^PUT ") and name:find("/file_share/", 1, true) and not response.counted then
		response.counted = true;
		local done, request = response.done, event.request;
		function response:done()
			hand_over("PUT", "/file_share", request, self.status_code);
			return done(self);
		end
	end
	return handlers(name, event);
end);

-- Inside of the WebSocket.
local function in_socket(route)
	return function (event)
		local session = event.session or event.origin;
		local request = session and session.websocket_request;
		if request then hand_over("POST", route, request, 200); end
	end;
end

module:hook("resource-bind", in_socket("/session"));
module:hook("iq-set/self/urn:xmpp:mam:2:query", in_socket("/archive"), 10);

function module.unload()
	if socket then socket:close(); end
end
