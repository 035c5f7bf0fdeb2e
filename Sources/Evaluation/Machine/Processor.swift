import Foundation

/// The processor of this machine, and which instructions for products it has.
public struct Processor: Codable, Sendable, Equatable {
    /// Its name; empty where the system does not tell.
    public var name: String

    /// How many of its cores the system offers.
    public var cores: Int

    /// The extensions that matter to products of matrices, in the system's words, such as `avx512_bf16`.
    public var features: [String]

    /// The processor that this runs on.
    public static var current: Processor {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        #if os(Linux)
        let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        return Processor(cpuInfo: text ?? "", cores: cores)
        #else
        return Processor(name: "", cores: cores, features: [])
        #endif
    }

    // x86-64's in the order of their appearance, then ARM's.
    private static let known = [
        "avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16",
        "amx_int8", "asimd", "asimddp", "i8mm", "bf16", "sve", "sve2",
    ]

    private init(name: String, cores: Int, features: [String]) {
        self.name = name
        self.cores = cores
        self.features = features
    }

    /// Reads Linux's description of the processors, of which the first stands for all.
    init(cpuInfo text: String, cores: Int) {
        func value(_ keys: [String]) -> String? {
            for line in text.split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 1)
                    .map { $0.trimmingCharacters(in: .whitespaces) }
                if parts.count == 2, keys.contains(parts[0]) { return parts[1] }
            }
            return nil
        }
        let flags = Set(
            (value(["flags", "Features"]) ?? "").split(separator: " ").map(String.init)
        )
        self.init(
            name: value(["model name"]) ?? "",
            cores: cores,
            features: Self.known.filter(flags.contains)
        )
    }
}
