import Foundation

/// How much memory this process has, where the system reports it: Linux.
package enum MemoryGauge {
    /// The memory in use, in bytes.
    package static var current: Int? { field("VmRSS:") }

    /// The most memory in use since ``reset()``, in bytes.
    package static var peak: Int? { field("VmHWM:") }

    /// Resets the peak; returns false where that cannot be done.
    package static func reset() -> Bool {
        guard let handle = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else {
            return false
        }
        defer { try? handle.close() }
        do {
            try handle.write(contentsOf: Data("5".utf8))
            return true
        } catch {
            return false
        }
    }

    private static func field(_ name: String) -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) })
        else { return nil }
        let parts = line.split(whereSeparator: \.isWhitespace)
        return parts.count > 1 ? Int(parts[1]).map { $0 * 1024 } : nil
    }
}
