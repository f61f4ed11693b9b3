-- Runs a program of Prosody's packages from the release, where it was unpacked: `lua5.4 run.lua prosody -F`, `lua5.4 run.lua prosodyctl ...`.
--
-- The programs name their folders in four lines at their top. They are loaded with other folders in these lines; the files of the
-- release stay as they were verified.

local function folder(name)
	return assert(os.getenv(name), name .. " is not set: it is, where Assent starts the server");
end

local prefix, config, data = folder("PROSODY_PREFIX"), folder("PROSODY_CONFIG_FOLDER"), folder("PROSODY_DATA");
local folders = {
	CFG_SOURCEDIR = prefix .. "/usr/lib/prosody";
	CFG_CONFIGDIR = config;
	CFG_PLUGINDIR = prefix .. "/usr/lib/prosody/modules/";
	CFG_DATADIR = data;
};

local program = prefix .. "/usr/bin/" .. assert(table.remove(arg, 1), "name a program: prosody or prosodyctl");
local file = assert(io.open(program));
local text = file:read("a"):gsub("^#!", "--");
file:close();
for name, path in pairs(folders) do
	local count;
	text, count = text:gsub("\n" .. name .. "='[^'\n]*'", function () return ("\n%s=%q"):format(name, path); end);
	assert(count == 1, program .. " does not name its " .. name);
end
arg[0] = program;
return assert(load(text, "@" .. program))(table.unpack(arg));
