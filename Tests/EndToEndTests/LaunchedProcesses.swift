import TestSupport
import Testing

import struct Foundation.URL

/// The processes of one run on loopback, with the variables that torchrun sets.
enum LaunchedProcesses {
    /// Starts the processes; one alone gets no variables.
    ///
    /// - Parameters:
    ///   - count: Their number.
    ///   - arguments: Those of every process.
    ///   - folder: Where they run.
    ///   - more: Further arguments of a rank.
    /// - Returns: The processes in the order of their ranks.
    /// - Throws: What starting throws.
    static func start(
        _ count: Int,
        _ arguments: [String],
        in folder: URL,
        more: (_ rank: Int) -> [String] = { _ in [] }
    ) throws -> [RunningCommand] {
        let port = try Loopback.freePort()
        return try (0..<count).map { rank in
            try DeitCommand.start(
                arguments + more(rank),
                in: folder,
                environment: count == 1
                    ? [:]
                    : [
                        "RANK": "\(rank)", "WORLD_SIZE": "\(count)", "LOCAL_RANK": "\(rank)",
                        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)",
                    ]
            )
        }
    }

    /// Waits for all, one after the other.
    static func results(_ commands: [RunningCommand]) async throws -> [CommandResult] {
        var results: [CommandResult] = []
        for command in commands { results.append(try await command.result()) }
        return results
    }
}
