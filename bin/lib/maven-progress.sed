# Of Maven's output, as it comes: modules, test classes, and whatever went wrong. Used with -n -E.
s/\x1b\[[0-9;]*m//g
/^\[INFO\] Building Sluice/ {
    s/^\[INFO\] Building (.*[^ ]) +[0-9][^ ]*( .*)?$/== \1/p
    d
}
/^\[[A-Z]+\] Tests run:.* in / {
    s/^\[[A-Z]+\] Tests run: ([0-9]+)(.*), Time elapsed: ([^ ]+) s.* in (.*)$/   \4: \1 run\2, \3 s/
    s/, (Failures|Errors|Skipped): 0//g
    p
    d
}
s/ *-> \[Help 1\]$//
/^\[ERROR\] *$/d
/[Rr]e-run Maven/d
/^\[ERROR\] \[Help 1\]/d
/For more information about the errors/d
/After correcting the problems/d
/mvn <args>/d
/^\[ERROR\]/p
/^\[WARNING\] .*\.java:/p
