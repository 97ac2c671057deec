#!/bin/sh
# `flyball test` as its users call it: the report, the exit status, JUnit's XML.
#
# usage: test_command.sh FLYBALL
. "$(dirname "$0")/harness.sh"

cat >a.rules <<'END'
device pump from "pumps" { key pump  time ts [ms]  temp : number [degC] every 10s }
alarm hot on pump { raise high when temp > 80 degC for 20s  message "<{pump}> & \u{1}\"{temp}\"" }
test "good: <&\"\u{2}'\n>" on pump {
  series p.temp = 70, 90x4
  expect alarm hot at 30s
}
test "bad" on pump {
  series p.temp = 70, 90x4
  expect alarm hot at 20s
}
test "cannot" on pump {
  series p.temp = 70, 90x4
  expect no alarm hot of q
}
END
expect 1 "$flyball" test a.rules
says out.txt 'a.rules:7: failed: "bad"'
says out.txt '!        20s  expect alarm hot at 20s | alarm hot of p raised high at 30s: <p> &'
says out.txt '(it came 10s later)'
says out.txt 'a.rules:11: failed: "cannot"'
says out.txt 'line 13: no record of this test is of `q`; its devices are `p`'
says out.txt '3 tests, 1 passed, 2 failed'
silent out.txt 'a.rules:3:'

expect 0 "$flyball" test --only good a.rules
says out.txt '1 test, 1 passed, 0 failed'
silent out.txt 'expect alarm'
expect 0 "$flyball" test -v --only good a.rules
says out.txt 'a.rules:3: passed: "good'
says out.txt '       30s  expect alarm hot at 30s | alarm hot of p raised high at 30s'
expect 1 "$flyball" test --only nothing a.rules
says out.txt 'none of 3 tests has a title that holds "nothing"'

expect 1 "$flyball" test --junit results.xml a.rules
says results.xml 'tests="3" failures="2"'
cases=$((cases + 1))
python3 - results.xml >out.txt 2>err.txt <<'END' || fail "results.xml is not as JUnit's"
import sys
from xml.etree import ElementTree
suite = ElementTree.parse(sys.argv[1]).getroot()
cases = suite.findall("testcase")
assert suite.tag == "testsuite" and suite.get("failures") == "2", suite.attrib
assert [c.get("name") for c in cases] == ["good: <&\"?'\n>", "bad", "cannot"], cases
assert all(c.get("classname") == "a.rules" for c in cases)
assert [len(c.findall("failure")) for c in cases] == [0, 1, 1]
assert '<p> & ?"90 degC"' in cases[1].find("failure").text, cases[1].find("failure").text
END
expect 3 "$flyball" test --junit none/results.xml a.rules
says err.txt 'none/results.xml: No such file or directory'

cat >late.rules <<'END'
device pump from "pumps" { key pump  time ts [ms]  temp : number [degC] every 10s }
alarm hot on pump { raise high when temp > 80 degC }
test "late" on pump { records "late.ndjson"  expect alarm hot }
END
printf '{"pump":"p","ts":%s,"temp":%s}\n' 1000000 20 900000 90 >late.ndjson
expect 1 "$flyball" test late.rules
says out.txt "1 record came later than the device's \`late up to\` allows"

printf 'device pump from "pumps" { key pump  time ts  temp : number every 10s }\n' >none.rules
expect 0 "$flyball" test none.rules
says out.txt 'no tests'
expect 1 "$flyball" test --junit results.xml a.rules late.rules
says err.txt 'error[E2'
expect 3 "$flyball" test missing.rules

finish
