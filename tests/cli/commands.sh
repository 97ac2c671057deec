#!/bin/sh
# The commands' manners: exit statuses, help, suggestions, where results and errors go.
#
# usage: commands.sh FLYBALL SOURCE_FOLDER
. "$(dirname "$0")/harness.sh"
source=$2

answers() { # STATUS out|err "WORDS" COMMAND...: its exit status, and the words on stdout or stderr
    status=$1 file=$2 words=$3
    shift 3
    expect "$status" "$@"
    grep -qF -e "$words" "$file.txt" || fail "$*: nothing says \"$words\" on std$file"
}

cat >good.rules <<'END'
device pump from "pumps" {
  key id
  time ts
  load : number [%] every 10s
}
alarm busy on pump { raise high when load > 90 % for 1m }
END
sed 's/load > 90 %/laod > 90 %/' good.rules >name.rules
sed 's/load > 90 %/load > 90/' good.rules >unit.rules
mkdir both none
sed 's/device pump/device fan/; s/on pump/on fan/; s/alarm busy/alarm fan_busy/; s/load > 90 %/load > 90/' \
    good.rules >both/a.rules
cp name.rules both/b.rules

answers 2 err "usage: flyball" "$flyball"
answers 0 out "usage: flyball" "$flyball" --help
answers 0 out "usage: flyball" "$flyball" help
answers 0 out "librdkafka" "$flyball" --version
answers 0 out "UDUNITS 2." "$flyball" --version
answers 2 err 'did you mean `check`' "$flyball" chekc good.rules
answers 2 err "there is no code" "$flyball" help E999
answers 0 out "90 %" "$flyball" help e403
answers 2 err "unrecognized option" "$flyball" check --nonsense good.rules
answers 2 err "RULES is missing" "$flyball" check
answers 2 err "text or json" "$flyball" check --format yaml good.rules

answers 0 out "1 file read, 1 rule, no errors" "$flyball" check good.rules
answers 1 err "name.rules:6:38: error[E201]" "$flyball" check name.rules
answers 1 err 'did you mean `90 %`?' "$flyball" check unit.rules
answers 1 err "both/a.rules:6:48: error[E403]" "$flyball" check both
printf 'alarm high on pump { rase low when load > 5 %% }\n' >syntax.rules
answers 3 err "syntax.rules:1:22: error[E122]" "$flyball" check syntax.rules nosuch.rules
answers 3 err "nosuch.rules: error[E570]" "$flyball" check syntax.rules nosuch.rules
answers 1 err "both/b.rules:6:38: error[E201]" "$flyball" check both
answers 1 err "2 errors in 2 files" "$flyball" check both
answers 0 out '"errors":0,"diagnostics":[]' "$flyball" check --format json good.rules
answers 1 out '"code":"E201"' "$flyball" check --format=json name.rules

commands=$("$flyball" help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
answers 0 out "audit check deploy diff drain explain fmt gen operator plan replay run simulate test help" echo $commands
for command in $commands; do
    answers 0 out "Example" "$flyball" "$command" -h
    answers 0 out "Example" "$flyball" help "$command"
    answers 0 out "Usage: flyball $command" "$flyball" "$command" --help
    [ ! -s err.txt ] || fail "$command --help writes to stderr"
done
version=$(sed -n 's/^project(flyball VERSION \([0-9.]*\).*/\1/p' "$source/CMakeLists.txt")
answers 0 out "flyball $version (" "$flyball" --version

# The page of all codes is what the program prints.
cases=$((cases + 1))
"$flyball" help codes >out.txt 2>err.txt
cmp -s out.txt "$source/docs/DIAGNOSTICS.md" ||
    fail "docs/DIAGNOSTICS.md is not what \`flyball help codes\` prints"

# The page of all keys, too; docs/CHECK.md lists every warning and note.
cases=$((cases + 1))
"$flyball" run --print-reference >out.txt 2>err.txt
cmp -s out.txt "$source/docs/CONFIGURATION.md" ||
    fail "docs/CONFIGURATION.md is not what \`flyball run --print-reference\` prints"
for code in $("$flyball" help codes | sed -n 's/^## \([WH][0-9]*\) .*/\1/p'); do
    cases=$((cases + 1))
    grep -q "^| $code |" "$source/docs/CHECK.md" || fail "docs/CHECK.md does not list $code"
done

# Colour never goes into a file.
cases=$((cases + 1))
"$flyball" check name.rules >out.txt 2>err.txt
! grep -q "$(printf '\033')" err.txt || fail "escape sequences in a file"

finish
