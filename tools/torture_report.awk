# From ctest's LastTest.log the report of ./dev torture, as a table of Markdown on standard output.
#
# A test says what it has done by lines of the form
#     torture: NAME cases=N faults=N violations=N seeds=A..B
# in its output, one for each of its parts, words in any order, those left out shown as "-".
# A test without such a line has one row: ctest's name, how long it took, whether it passed.
#
# usage: awk -v title=TEXT -f tools/torture_report.awk LastTest.log

function word(line, key,    at, rest) {
    at = index(line, " " key "=")
    if (!at)
        return "-"
    rest = substr(line, at + length(key) + 2)
    sub(/[ \t].*/, "", rest)
    return rest
}

function row(name, line, verdict) {
    printf "| %s | %s | %s | %s | %s | %s | %s |\n", name, word(line, "cases"),
        word(line, "faults"), word(line, "violations"), word(line, "seeds"), seconds, verdict
}

function flush_test(    i, part, verdict) {
    if (test == "")
        return
    verdict = passed ? "passed" : "FAILED"
    tests++
    failed += !passed
    for (i = 1; i <= parts; i++) {
        part = line[i]
        sub(/^.*torture: /, "", part)
        sub(/ .*/, "", part)
        row(part == test ? test : test ": " part, line[i], verdict)
    }
    if (!parts)
        row(test, "", verdict)
    test = ""
}

BEGIN {
    printf "# %s\n\n", title
    print "| test | cases | faults | violations | seeds | seconds | |"
    print "|---|---|---|---|---|---|---|"
}
/^[0-9]+\/[0-9]+ Testing: / {
    flush_test()
    test = $3
    parts = 0
    passed = 0
    seconds = "-"
    next
}
/^torture: [^ ]+ / || /[^a-z]torture: [^ ]+ .*=/ { line[++parts] = $0; next }
/^Test time = / { seconds = $4 }
/^Test Passed\./ { passed = 1 }
END {
    flush_test()
    printf "\n%d tests, %d failed.\n", tests, failed
    if (!tests)
        exit 1
}
