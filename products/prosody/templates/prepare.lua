-- Before each start, as the server's user: `lua5.4 prepare.lua`. Each part of it may be repeated.
--
-- 1. A self-signed certificate, where one is wanted and none is there (or it is about to end).
-- 2. The first account, where it does not exist: its password is the administrator's from then on, and never set again.
-- 3. The account of the health checks, with the password that they use.
--
-- Passwords are read from files of mode 0600; they are in no command line and no environment.

local config, data = os.getenv("PROSODY_CONFIG_FOLDER"), os.getenv("PROSODY_DATA");
local prefix = os.getenv("PROSODY_PREFIX");
local domain = "{{domain}}";

local function fail(text, ...)
	io.stderr:write("prepare: ", text:format(...), "\n");
	os.exit(1);
end

local function contents(path)
	local file = io.open(path, "rb");
	local text = file and file:read("a");
	if file then file:close(); end
	return text;
end

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'"; end

local function make_certificate()
	local cert, key = data .. "/self-signed.crt", data .. "/self-signed.key";
	local openssl = quoted(prefix .. "/usr/bin/openssl");
	local names = ("subjectAltName=DNS:%s,DNS:rooms.%s"):format(domain, domain);
	if contents(cert) and contents(key) then
		local look = ("%s x509 -in %s -noout"):format(openssl, quoted(cert));
		local pipe = assert(io.popen(("%s -checkhost %s && %s -checkend 2592000"):format(look, quoted(domain), look)));
		local said, lasts = pipe:read("a"), pipe:close();
		if lasts and said:find("does match certificate", 1, true) then return; end
	end
	local made = os.execute(("umask 077; %s req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj %s -addext %s "
		.. "-config /dev/null -keyout %s -out %s 2>/dev/null"):format(
		openssl, quoted("/CN=" .. domain), quoted(names), quoted(key .. ".new"), quoted(cert .. ".new")));
	if not made then fail("the self-signed certificate could not be made"); end
	assert(os.rename(key .. ".new", key));
	assert(os.rename(cert .. ".new", cert));
	print("prepare: made a self-signed certificate for " .. domain);
end

local function readable(path)
	if not contents(path) then
		fail("%s can't be read by the server's user. Let its group read it, or copy it to where it can be read.", path);
	end
end

{{#certificate}}
readable("{{certificate}}");
readable("{{certificateKey}}");
{{/certificate}}
{{^certificate}}
{{#selfSigned}}
make_certificate();
{{/selfSigned}}
{{/certificate}}

-- Prosody's own libraries, as prosodyctl loads them.
CFG_SOURCEDIR, CFG_CONFIGDIR, CFG_DATADIR = prefix .. "/usr/lib/prosody", config, data;
CFG_PLUGINDIR = CFG_SOURCEDIR .. "/modules/";
package.path = CFG_SOURCEDIR .. "/?.lua;" .. package.path;
package.cpath = CFG_SOURCEDIR .. "/?.so;" .. package.cpath;
arg = { [0] = "prepare" };
pcall(require, "loader");
local loaded, startup = pcall(require, "util.startup");
if not loaded then
	fail("Prosody's libraries can't be loaded. They need libssl3 and libstdc++6 of this machine: %s", tostring(startup));
end
startup.prosodyctl();

local ctl = require "util.prosodyctl";
local users = require "core.usermanager";

local function password_in(name)
	local text = contents(config .. "/" .. name);
	return text and text:match("^[^\r\n]+") or fail("%s/%s holds no password", config, name);
end

local function account(user, password, keep)
	local exists = ctl.user_exists({ user = user, host = domain });
	if exists and (keep or users.test_password(user, domain, password)) then return; end
	local change = exists and ctl.passwd or ctl.adduser;
	local ok, why = change({ user = user, host = domain, password = password });
	if not ok then fail("the account %s@%s could not be made: %s", user, domain, tostring(why)); end
	print(("prepare: %s account %s@%s"):format(exists and "set the password of" or "made", user, domain));
end

account("{{admin}}", password_in("first-password.txt"), true);
account("{{healthUser}}", password_in("health-password.txt"), false);
os.exit(0);
