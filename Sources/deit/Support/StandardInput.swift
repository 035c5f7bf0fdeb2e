import Foundation

/// What is piped into the command.
enum StandardInput {
    /// No image is larger than this.
    private static let limit = 1 << 29

    /// Reads everything.
    static func read() throws(CommandFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = buffer.withUnsafeMutableBytes {
                Foundation.read(STDIN_FILENO, $0.baseAddress, $0.count)
            }
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                let reason = String(cString: strerror(errno))
                throw CommandFailure(
                    "standard input cannot be read: \(reason)",
                    exitCode: CommandFailure.badData
                )
            }
            bytes += buffer[..<count]
            guard bytes.count <= limit else {
                throw CommandFailure(
                    "standard input holds more than \(limit >> 20) MiB, too much for an image",
                    exitCode: CommandFailure.badData
                )
            }
        }
    }
}
