#!/bin/sh
# Shows that each check of tidy.sh can fail: one small bad file a time in a tree that is good.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0
cases=0

header='/* A sample.
 *
 * Place in the flow: nowhere. */'

fresh() {
    rm -rf "${tree:?}"/*
    mkdir -p "$tree/engine/base" "$tree/engine/core" "$tree/engine/model" "$tree/engine/run" \
        "$tree/engine/codec" "$tree/engine/cli" "$tree/rules" "$tree/connectors" "$tree/docs" \
        "$tree/tests/tidy"
    printf '%s\n' "$header" >"$tree/engine/base/good.h"
}

# bad CHECK PATH TEXT: exactly this check complains, about exactly this file
bad() {
    cases=$((cases + 1))
    fresh
    printf '%s\n' "$3" >"$tree/$2"
    if said=$("$here/tidy.sh" "$tree"); then
        echo "not seen: [$1] in $2: $3"
        failed=1
    elif [ "$(echo "$said" | sed 's/^\([^:]*\):[0-9]*: \(\[[^]]*\]\).*/\2 \1/')" != "[$1] $2" ]; then
        echo "wanted [$1] for $2, got: $said"
        failed=1
    fi
}

# good PATH TEXT: nothing to complain of
good() {
    cases=$((cases + 1))
    fresh
    printf '%s\n' "$2" >"$tree/$1"
    if ! said=$("$here/tidy.sh" "$tree"); then
        echo "wrongly refused: $said"
        failed=1
    fi
}

good engine/core/a.c '#include "engine/base/str.h"'
good engine/run/a.c '#include "rules/compile.h"'
good tests/a.c '#include "engine/cli/cli.h"'
bad layer engine/base/a.c '#include "engine/model/value.h"'
bad layer engine/model/a.c '#include "rules/ast.h"'
bad layer rules/a.c '#include "engine/core/core.h"'
bad layer connectors/a.c '#include "engine/model/value.h"'
bad layer engine/core/a.c '#include "rules/ast.h"'
bad layer engine/core/a.c '#include "connectors/connector.h"'
bad layer engine/codec/a.c '#include "engine/run/task.h"'
bad layer engine/run/a.c '#include "engine/cli/cli.h"'
bad layer engine/cli/a.c '#include "tests/kafka/broker.h"'
bad include engine/base/a.c '#include "str.h"'

good connectors/kafka_sink.c '#include <librdkafka/rdkafka.h>'
bad third-party connectors/file.c '#include <librdkafka/rdkafka.h>'
bad third-party rules/check.c '#include <udunits2.h>'
bad third-party engine/core/stat.c '#include <pcre2.h>'
bad third-party engine/codec/a.c '#include <zstd.h>'
bad third-party engine/run/a.c '#include <openssl/evp.h>'
bad third-party engine/base/map.c '#include <xxhash.h>'
bad third-party engine/base/a.c '#include <cmocka.h>'

bad core engine/core/a.c '#include <math.h>'
bad core engine/core/a.c '    int64_t now = time(NULL);'
bad core engine/core/a.c '    pthread_mutex_lock(&lock);'
bad core engine/core/a.c '    printf("%d", n);'
bad core-alloc engine/core/a.c '    char *p = malloc (n);'
bad core-alloc engine/core/a.c '    /* then */ free(p);'
good engine/core/a.c '    last_time(x); at.time = 1; free_list(p); "malloc(n)"; // free(p)'
good engine/core/a.c "    c = '\"'; /* malloc(n)
      free(p) */ d = '\\'';"
good engine/run/a.c '    free(p);'

bad tab rules/a.c "$(printf '\tint n;')"
bad width rules/a.c "/* $(printf '%0100d' 0) */"
good rules/a.c "$(printf '%0100d' 0 | sed 's/0/é/g')"
bad length rules/a.c "$(seq 1001)"
good rules/a.c "$(seq 1000)"
bad place rules/a.h '/* A sample without its place. */'
bad place rules/a.h '/* A sample. */
int n;
/* Place in the flow: too late. */'
bad unfinished rules/a.c "/* TO""DO: more */"
bad unfinished tests/a.sh "# FIX""ME"

bad unfinished rules/a.md "$(printf '%s HEAD' '<<<<<<''<')"
bad unfinished docs/a.md "$(printf '%s HEAD' '<<<<<<''<')"

# What is found at a file's end is said of that file, not of the one after it.
fresh
seq 1001 >"$tree/rules/long.c"
echo 'int n;' >"$tree/rules/short.c"
"$here/tidy.sh" "$tree" | grep -q '^rules/long.c:1001: \[length\]' || {
    echo "the length of a file is said of another"
    failed=1
}

# The list of exceptions: only the named check, only in the named file.
fresh
echo 'core-alloc engine/core/setup.c' >"$tree/tests/tidy/allow"
echo '    free(p);' >"$tree/engine/core/setup.c"
"$here/tidy.sh" "$tree" || failed=1
echo '#include <math.h>' >>"$tree/engine/core/setup.c"
echo '    free(p);' >"$tree/engine/core/other.c"
[ "$("$here/tidy.sh" "$tree" | grep -c '\[core')" = 2 ] || {
    echo "the list of exceptions allows too much"
    failed=1
}

[ $failed = 0 ] && echo "$cases cases as wanted"
exit $failed
