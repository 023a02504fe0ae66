# Finding libmxr: the one that the user names, one that the process already has, or the package's own.

# The name that libmxr records for itself.
const SONAME = "libmxr.so.0"
# Where the package has its own.
const BUNDLED = normpath(joinpath(@__DIR__, "..", "deps", "lib", "libmxr.so"))
const LIBRARY = Ref("")

"The library that the active project's `LocalPreferences.toml` names, `libmxr = \"…\"` under `[MXR]`."
function preferred()
    project = Base.active_project()
    project === nothing && return nothing
    file = joinpath(dirname(project), "LocalPreferences.toml")
    isfile(file) || return nothing
    section = ""
    for line in eachline(file)
        header = match(r"^\s*\[(.+)\]", line)
        header === nothing || (section = header[1])
        entry = match(r"^\s*libmxr\s*=\s*[\"'](.+)[\"']", line)
        section == "MXR" && entry !== nothing && return String(entry[1])
    end
    return nothing
end

"A libmxr that another part of the process uses, such as another language."
function loaded()
    handle = Libdl.dlopen(SONAME, Libdl.RTLD_NOLOAD | Libdl.RTLD_NOW; throw_error = false)
    handle === nothing || return handle
    for path in Libdl.dllist()
        startswith(basename(path), "libmxr.so") || continue
        handle = Libdl.dlopen(path, Libdl.RTLD_NOLOAD | Libdl.RTLD_NOW; throw_error = false)
        handle === nothing || return handle
    end
    return nothing
end

function open_library(path, what)
    try
        return Libdl.dlopen(path, Libdl.RTLD_NOW | Libdl.RTLD_LOCAL)
    catch error
        throw(MXError(:NOT_FOUND, "$what $path, which does not load: $(sprint(showerror, error))"))
    end
end

function find_library()
    named = get(ENV, "MXR_LIBRARY", "")
    isempty(named) || return open_library(named, "the environment variable MXR_LIBRARY names")
    handle = loaded()
    handle === nothing || return handle
    path = preferred()
    path === nothing || return open_library(path, "LocalPreferences.toml names")
    isfile(BUNDLED) && return open_library(BUNDLED, "the package has")
    throw(MXError(:NOT_FOUND, "there is no libmxr: the environment variable MXR_LIBRARY is not set, the " *
        "process has no $SONAME loaded, no LocalPreferences.toml names one, and there is no $BUNDLED"))
end

"The functions of a library, after a look at its version."
function load_library()
    handle = find_library()
    file = something(Libdl.dlpath(handle), SONAME)
    version = Libdl.dlsym(handle, :mxr_abi_version; throw_error = false)
    version === nothing && throw(MXError(:VERSION, "$file is no libmxr: it has no function mxr_abi_version"))
    found = ccall(version, UInt32, ())
    found == MXR_ABI_VERSION || throw(MXError(:VERSION,
        "$file has ABI version $found, and this package needs $(Int(MXR_ABI_VERSION))"))
    for (i, name) in enumerate(FUNCTIONS)
        address = Libdl.dlsym(handle, Symbol(name); throw_error = false)
        address === nothing && throw(MXError(:VERSION,
            "$file is older than this package: it lacks the function $name"))
        TABLE[i] = address
    end
    LIBRARY[] = file
    return nothing
end

"The file that libmxr was loaded from."
library() = LIBRARY[]
"The version of libmxr."
version() = unsafe_string(mxr_version())
"How libmxr was built."
build_info() = unsafe_string(mxr_build_info())
