#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A shell's pattern, as Python's `fnmatch` sees it.
package enum ShellPattern {
    /// Whether a text fits a pattern as a whole: `*` is any text, slashes included, `?` a character, `[…]` one of several.
    package static func matches(_ text: String, _ pattern: String) -> Bool {
        fnmatch(pattern, text, 0) == 0
    }

    /// Whether a text has characters that mean more in a pattern than themselves.
    package static func isPattern(_ text: String) -> Bool { text.contains { "*?[".contains($0) } }
}
