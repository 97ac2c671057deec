# The house rules that a machine can check, over the files given; see tidy.sh for how it is called.
# Prints FILE:LINE: [CHECK] what is wrong, and exits with 1 when anything is.
# Place in the flow: only in tests; CONTRIBUTING.md names the rules for people.

function complain(line, check, what) {
    if ((check " " name) in allowed)
        return
    printf "%s:%d: [%s] %s\n", name, line, check, what
    found = 1
}

# The folder that decides what a file may include: "core" for engine/core/window.c.
function layer_of(path,    parts) {
    split(path, parts, "/")
    return parts[1] == "engine" ? parts[2] : parts[1]
}

# Code alone: comments, strings and characters blanked. in_comment goes on over lines.
function code_of(line,    out, c, two, quote) {
    out = ""
    quote = ""
    while (line != "") {
        c = substr(line, 1, 1)
        two = substr(line, 1, 2)
        if (in_comment) {
            if (two == "*/") {
                in_comment = 0
                line = substr(line, 2)
            }
        } else if (quote != "") {
            if (c == "\\")
                line = substr(line, 2)
            else if (c == quote)
                quote = ""
        } else if (two == "/*") {
            in_comment = 1
            line = substr(line, 2)
        } else if (two == "//") {
            break
        } else if (c == "\"" || c == "'") {
            quote = c
            out = out " "
        } else {
            out = out c
        }
        line = substr(line, 2)
    }
    return out
}

function end_file() {
    if (lines > 1000)
        complain(lines, "length", lines " lines, at most 1000: has it one job?")
    if (name ~ /\.h$/ && !placed)
        complain(1, "place", "the comment at the head does not say its \"Place in the flow\"")
}

function check_include(    path, to) {
    path = $0
    if (path ~ /#[ ]*include[ ]*"/) {
        sub(/^[^"]*"/, "", path)
        sub(/".*/, "", path)
        to = layer_of(path)
        if (path !~ /^(engine|rules|connectors|tests|bench)\// && path != "fb_build.h")
            complain(FNR, "include", "\"" path "\" is not a path from the project's root")
        else if (product && path ~ /\// && index(may_include[layer], " " to " ") == 0)
            complain(FNR, "layer", layer " must not include " to " (" path ")")
        return
    }
    sub(/^[^<]*</, "", path)
    sub(/>.*/, "", path)
    if (product) {
        for (library in owner)
            if (path ~ library && name !~ owner[library])
                complain(FNR, "third-party", "<" path "> does not belong here, see tidy.awk")
        if (path ~ /^(cmocka|setjmp)\.h$/)
            complain(FNR, "third-party", "<" path "> has no place in the product")
    }
    if (layer == "core" && path ~ /^(math|fenv|pthread|threads|time|sys\/time|unistd|fcntl)\.h$/)
        complain(FNR, "core", "<" path ">: the core has no libm, clock, threads or I/O")
}

# True where one of the names is called in the line of code.
function calls(code, names) {
    return code ~ ("(^|[^A-Za-z0-9_])(" names ")[ ]*\\(")
}

BEGIN {
    may_include["base"] = " base "
    may_include["model"] = " base model "
    may_include["rules"] = " base model rules "
    may_include["connectors"] = " base connectors "
    may_include["core"] = " base model core "
    may_include["codec"] = " base model rules connectors core codec "
    may_include["run"] = " base model rules connectors core codec plant run "
    may_include["review"] = " base model rules connectors core codec review "
    may_include["plant"] = " base plant "
    may_include["sample"] = " base sample "
    may_include["cli"] = " base model rules connectors core codec run review plant sample cli "

    # A library's header, and the only files of the product that may see it.
    owner["^librdkafka/"] = "^connectors/kafka_"
    owner["^udunits2"] = "^rules/units\\.c$"
    owner["^pcre2"] = "^(rules/|engine/core/match\\.c$)"
    owner["^zstd"] = "^(connectors/|engine/codec/chunk\\.c$)"
    owner["^openssl/"] = "^engine/base/hash\\.c$"
    owner["^xxhash"] = "^engine/base/hash\\.c$"

    allocation = "malloc|calloc|realloc|reallocarray|aligned_alloc|posix_memalign|free|strdup|" \
                 "strndup|asprintf|vasprintf|fb_alloc|FB_PUSH_ROOM"
    clock = "time|clock|clock_gettime|gettimeofday|timespec_get|localtime|localtime_r|gmtime|" \
            "gmtime_r|mktime|rand|random|getrandom"
    io = "fopen|open|read|write|fread|fwrite|printf|fprintf|vfprintf|puts|fputs|getenv"

    if (allow_file != "")
        while ((getline entry < allow_file) > 0)
            if (entry !~ /^(#|$)/) {
                sub(/[ ]*#.*/, "", entry)
                allowed[entry] = 1
            }
}

FNR == 1 {
    if (name != "")
        end_file()
    name = FILENAME
    in_comment = 0
    placed = 0
    head = 1
    is_c = name ~ /\.[ch]$/
    product = name ~ /^(engine|rules|connectors)\//
    layer = layer_of(name)
}

{
    lines = FNR
}

/TO[D]O|FIX[M]E/ {
    complain(FNR, "unfinished", "do it now, or open an issue")
}

/^(<<<<<<<|>>>>>>>) / {
    complain(FNR, "unfinished", "a merge that was not resolved")
}

!is_c {
    next
}

/\t/ {
    complain(FNR, "tab", "tabs are not used, four spaces are")
}

{
    width = $0
    gsub(/[\200-\277]/, "", width) # a character counts once, not its bytes
    if (length(width) > 100)
        complain(FNR, "width", length(width) " columns, at most 100")
}

head && /Place in the flow/ {
    placed = 1
}

/^[ ]*#[ ]*include/ {
    check_include()
}

{
    code = code_of($0)
    if (code ~ /[^ ]/)
        head = 0 # the comment at the head is over where code begins
}

layer == "core" && product {
    if (calls(code, allocation))
        complain(FNR, "core-alloc", "the core allocates nothing after set-up")
    if (calls(code, clock))
        complain(FNR, "core", "the core has no clock and no chance, time comes with the entries")
    if (calls(code, io))
        complain(FNR, "core", "the core has no I/O")
    if (code ~ /(^|[^A-Za-z0-9_])(pthread_|mtx_|cnd_|thrd_|_Atomic|_Thread_local)/)
        complain(FNR, "core", "the core has no threads")
}

END {
    if (name != "")
        end_file()
    exit found
}
