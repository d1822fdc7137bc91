# Finds a JDK that is new enough, for bin/sluice, bin/verify and bin/format. Sourced by POSIX shells.
#
# A Java's version is read from the file "release" in its home: starting a JVM to ask it would take longer than
# everything else these scripts do. Nothing here forks, but for one readlink when java is on the PATH.

java_min=25

# java_major_of HOME: sets java_major to the feature version in HOME/release, or to 0.
java_major_of() {
    java_major=0
    [ -r "$1/release" ] || return 0
    while IFS= read -r java_line || [ -n "$java_line" ]; do
        case $java_line in
            JAVA_VERSION=*)
                java_line=${java_line#JAVA_VERSION=}
                java_line=${java_line#\"}
                java_line=${java_line%%[!0-9]*}
                java_major=${java_line:-0}
                return 0
                ;;
        esac
    done <"$1/release"
}

# is_java HOME PROGRAM: whether HOME is new enough and has bin/PROGRAM.
is_java() {
    [ -x "$1/bin/$2" ] || return 1
    java_major_of "$1"
    [ "$java_major" -ge "$java_min" ]
}

# find_java PROGRAM: sets java_home to the first Java that is new enough and has bin/PROGRAM, which is "java" for running and
# "javac" for building. Looks in SLUICE_JAVA_HOME, JAVA_HOME, the PATH, then the usual places. Returns 1 if there is none,
# having said why and what to do.
find_java() {
    if [ -n "${SLUICE_JAVA_HOME:-}" ]; then
        if is_java "$SLUICE_JAVA_HOME" "$1"; then
            java_home=$SLUICE_JAVA_HOME
            return 0
        fi
        # Asked for by name: taking another one in silence would be worse than stopping.
        java_major_of "$SLUICE_JAVA_HOME"
        if [ "$java_major" -ge "$java_min" ]; then
            echo "SLUICE_JAVA_HOME is $SLUICE_JAVA_HOME, which has no bin/$1. Point it to a full JDK, or unset it." >&2
        elif [ "$java_major" -gt 0 ]; then
            echo "SLUICE_JAVA_HOME is $SLUICE_JAVA_HOME, which is Java $java_major. Sluice needs $java_min or newer: point it elsewhere, or unset it." >&2
        else
            echo "SLUICE_JAVA_HOME is $SLUICE_JAVA_HOME, which is not the home of a JDK. Point it elsewhere, or unset it." >&2
        fi
        return 1
    fi
    if [ -n "${JAVA_HOME:-}" ] && is_java "$JAVA_HOME" "$1"; then
        java_home=$JAVA_HOME
        return 0
    fi
    java_older=
    if java_home=$(command -v java) && java_home=$(readlink -f "$java_home"); then
        java_home=${java_home%/bin/java}
        is_java "$java_home" "$1" && return 0
        java_major_of "$java_home"
        [ "$java_major" -gt 0 ] && java_older=" (the java on your PATH is $java_major)"
    fi
    for java_home in /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /opt/* /opt/java/* \
        "${HOME:-/nonexistent}"/.sdkman/candidates/java/* "${HOME:-/nonexistent}"/.jdks/*; do
        is_java "$java_home" "$1" && return 0
    done
    cat >&2 <<END
Sluice needs a JDK $java_min or newer, and found none$java_older.
  Debian or Ubuntu:  apt install openjdk-$java_min-jdk-headless   (or temurin-$java_min-jdk from https://adoptium.net)
  Fedora:            dnf install java-$java_min-openjdk-devel
  elsewhere:         https://adoptium.net/temurin/releases/?version=$java_min
Then run this again. A JDK in an unusual place: set SLUICE_JAVA_HOME to its folder.
END
    return 1
}

# require_maven: returns 1, having said what to do, if there is no mvn. The build itself checks Maven's version.
require_maven() {
    command -v mvn >/dev/null && return 0
    echo "Sluice is built with Maven 3.8 or newer, and there is no mvn on your PATH. Debian or Ubuntu: apt install maven" >&2
    return 1
}
