# Leaves of Maven's output what is about the build: takes out colours and its advice on how to call Maven.
s/\x1b\[[0-9;]*m//g
s/ *-> \[Help 1\]$//
/^\[ERROR\] *$/d
/[Rr]e-run Maven/d
/^\[ERROR\] \[Help 1\]/d
/For more information about the errors/d
/After correcting the problems/d
/mvn <args>/d
