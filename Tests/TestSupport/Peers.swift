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

    /// The installed packages' versions, by their names in small letters with `_`; none where there is no Python.
    private static let versions: [String: String] = {
        let list = """
            import importlib.metadata
            for package in importlib.metadata.distributions(): print(package.name, package.version)
            """
        guard python != nil, let (status, text) = try? run(["-c", list]), status == 0 else {
            return [:]
        }
        let pairs = text.split(separator: "\n").map { $0.split(separator: " ") }
        return Dictionary(
            pairs.filter { $0.count == 2 }.map { (canonical($0[0]), String($0[1])) },
            uniquingKeysWith: { first, _ in first }
        )
    }()

    private static func canonical(_ name: some StringProtocol) -> String {
        name.lowercased().replacing("-", with: "_")
    }

    /// The packages that are not installed, or too old.
    ///
    /// - Parameter packages: Names such as `numpy`, or with the least version, `transformers>=5`.
    /// - Returns: Those of them that are missing.
    static func missing(_ packages: [String]) -> [String] {
        packages.filter { package in
            let parts = package.split(separator: ">=").map(String.init)
            guard let version = versions[canonical(parts.first ?? "")] else { return true }
            guard let least = parts.dropFirst().first else { return false }
            return version.compare(least, options: .numeric) == .orderedAscending
        }
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
        try run([Checkout.root.appending(path: "Tools/parity/\(script)").path] + arguments)
    }

    private static func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(filePath: try #require(python))
        process.arguments = arguments
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
    /// Skips the test, and says why, where there is no Python with the packages that its script imports.
    ///
    /// Name all of them: the test must pass with any environment that has them. What is no package's name, such as two in
    /// one text, fails the test, which would be skipped for ever otherwise.
    ///
    /// - Parameter packages: Names such as `numpy`, or with the least version, `transformers>=5`.
    /// - Returns: The trait.
    public static func needsPeers(_ packages: String...) -> Self {
        let missing = Peers.missing(packages)
        return enabled(
            "needs PEERS_PYTHON, a Python with \(packages.joined(separator: ", ")); missing: \(missing.joined(separator: ", "))"
        ) {
            for package in packages {
                try #require(
                    package.wholeMatch(of: /[A-Za-z0-9_.-]+(>=[0-9.]+)?/) != nil,
                    "\(package) is not the name of one package"
                )
            }
            return missing.isEmpty
        }
    }
}
