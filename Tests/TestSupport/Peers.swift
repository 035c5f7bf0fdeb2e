import Foundation
public import Testing

/// The reference implementations on this machine: a Python with timm, transformers and what they need.
public enum Peers {
    /// The interpreter that `PEERS_PYTHON` names, else the usual one; nil where there is none.
    public static var python: String? {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["PEERS_PYTHON"], !named.isEmpty { return named }
        let cache = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache"
        let usual = "\(cache)/swift-deit/peers/bin/python"
        return FileManager.default.isExecutableFile(atPath: usual) ? usual : nil
    }

    /// Runs one of `Tools/parity`'s scripts to its end.
    ///
    /// - Parameters:
    ///   - script: The file's name.
    ///   - arguments: What it is given.
    /// - Returns: Its exit code, and all that it printed.
    /// - Throws: An expectation's error where there is no Python; the test then lacks its `needsPeers` trait.
    public static func run(
        _ script: String,
        _ arguments: [String]
    ) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(filePath: try #require(python))
        process.arguments =
            [Checkout.root.appending(path: "Tools/parity/\(script)").path] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test, and says why, where there is no Python with the reference implementations.
    ///
    /// - Parameter libraries: What the test needs of it.
    /// - Returns: The trait.
    public static func needsPeers(_ libraries: String) -> Self {
        enabled(if: Peers.python != nil, "needs PEERS_PYTHON, a Python with \(libraries)")
    }
}
