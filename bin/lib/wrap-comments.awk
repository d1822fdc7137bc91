# Re-wraps paragraphs of // and /// comments that have a line which is too long; leaves all others alone. Without it the
# formatter breaks each long line by itself and leaves a word or two on a line of their own.
#
# Too long is more than 120 columns. In a /// block that is indented it is more than 120 less the indentation: palantir-java-format
# 2.103.0 counts the indentation of such lines twice, breaks what it takes for too long, and forgets the slashes.
#
# A paragraph ends at an empty line, where the indentation changes, and before a list item, heading or block tag. Tables and
# fenced code are never touched. Run with LC_ALL=C: columns are counted here, from UTF-8.

function columns(s) { gsub(/[\200-\277]/, "", s); return length(s) }
function spaces(n,   s) { while (n-- > 0) s = s " "; return s }
function indentation(s) { match(s, /^ */); return RLENGTH }

function flush(   i, n, words, line, joined) {
    if (count == 0) return
    if (!too_long) {
        for (i = 1; i <= count; i++) print raw[i]
    } else {
        joined = substr(raw[1], head + 1)
        for (i = 2; i <= count; i++) joined = joined " " substr(raw[i], length(prefix) + 1)
        n = split(joined, words, / +/)
        line = substr(raw[1], 1, head)
        fresh = 1
        for (i = 1; i <= n; i++) {
            if (words[i] == "") continue
            if (fresh) line = line words[i]
            else if (columns(line) + 1 + columns(words[i]) <= limit) line = line " " words[i]
            else { print line; line = prefix spaces(hanging) words[i] }
            fresh = 0
        }
        print line
    }
    count = 0
}

# Begins a paragraph with this line. head: the bytes of it that stay as they are, in front of the words.
function begin(text,   rest) {
    first = indentation(text)
    rest = substr(text, first + 1)
    head = length(prefix) + first
    hanging = first
    is_item = 0
    if (match(rest, /^@(param|throws|exception) +[^ ]+ +/) || match(rest, /^@[a-z]+ +/) || match(rest, /^([-*+]|[0-9]+[.)]) +/)) {
        head += RLENGTH
        hanging = first + RLENGTH
        is_item = 1
    }
    count = 1
    raw[1] = $0
    too_long = columns($0) > limit
}

{
    if (!match($0, /^ *\/\/\/?/)) { flush(); fenced = 0; print; next }
    this_prefix = substr($0, 1, RLENGTH)
    text = substr($0, RLENGTH + 1)
    trimmed = substr(text, indentation(text) + 1)
    if (trimmed ~ /^```/) { flush(); fenced = !fenced; print; next }
    if (fenced || trimmed == "" || trimmed ~ /^[|#>]/ || text !~ /^ /) { flush(); print; next }
    if (count > 0 && this_prefix == prefix && trimmed !~ /^(@[a-z]|[-*+] |[0-9]+[.)] )/) {
        if (count == 1 && is_item && indentation(text) >= first) hanging = indentation(text)
        if (indentation(text) == hanging) {
            raw[++count] = $0
            if (columns($0) > limit) too_long = 1
            next
        }
    }
    flush()
    prefix = this_prefix
    limit = prefix ~ /\/\/\/$/ ? 120 - indentation(prefix) : 120
    begin(text)
}
END { flush() }
