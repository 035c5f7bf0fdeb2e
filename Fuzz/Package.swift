// swift-tools-version: 6.2
import Foundation
import PackageDescription

// A package of its own, so that nothing here reaches those who depend on swift-deit.
//
// `make fuzz` builds it with flags for all targets, the root package's included: libFuzzer's coverage, and testability,
// because many readers are not public.

/// The linker's flag for libtorch's folder, from the `libtorch.pc` that `make setup` wrote.
func runPath() -> [String] {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache"
    let folders =
        (environment["PKG_CONFIG_PATH"] ?? "").split(separator: ":").map(String.init)
        + ["/usr/local/lib/pkgconfig", "\(cache)/swift-deit/pkgconfig"]
    for folder in folders {
        guard let text = try? String(contentsOfFile: "\(folder)/libtorch.pc", encoding: .utf8),
            let prefix = text.split(separator: "\n").first(where: { $0.hasPrefix("prefix=") })
        else { continue }
        return ["-Xlinker", "-rpath", "-Xlinker", prefix.dropFirst("prefix=".count) + "/lib"]
    }
    return []
}

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

func library(_ name: String) -> Target.Dependency { .product(name: name, package: "swift-deit") }

let package = Package(
    name: "Fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-deit", path: "..")],
    targets: [
        .systemLibrary(name: "CLibFuzzer"),
        .target(
            name: "FuzzDriver",
            dependencies: ["CLibFuzzer", library("Storage")],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "deit-fuzz",
            dependencies: [
                "FuzzDriver", library("Storage"), library("Datasets"), library("ImagePipeline"),
            ],
            swiftSettings: swiftSettings,
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]
        ),
        .executableTarget(
            name: "deit-fuzz-config",
            dependencies: [
                "FuzzDriver", library("Storage"), library("Checkpoints"), library("VisionModels"),
            ],
            swiftSettings: swiftSettings,
            linkerSettings: [.unsafeFlags(["-use-ld=lld"] + runPath())]
        ),
    ],
    cxxLanguageStandard: .cxx20
)
