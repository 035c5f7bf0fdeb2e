// swift-tools-version: 6.2
import Foundation
import PackageDescription

// A package of its own, so that nothing here reaches those who depend on swift-deit.

/// The linker's flag for libtorch's folder, from the `libtorch.pc` that `make setup` wrote.
func runPath() -> [LinkerSetting] {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache"
    let folders =
        (environment["PKG_CONFIG_PATH"] ?? "").split(separator: ":").map(String.init)
        + ["/usr/local/lib/pkgconfig", "\(cache)/swift-deit/pkgconfig"]
    for folder in folders {
        guard let text = try? String(contentsOfFile: "\(folder)/libtorch.pc", encoding: .utf8),
            let prefix = text.split(separator: "\n").first(where: { $0.hasPrefix("prefix=") })
        else { continue }
        let libraries = prefix.dropFirst("prefix=".count) + "/lib"
        return [.unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", String(libraries)])]
    }
    return []
}

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-deit", path: "..")],
    targets: [
        .systemLibrary(name: "CLibtorchForBaseline", pkgConfig: "libtorch"),
        .systemLibrary(name: "CLibJPEGForBaseline", pkgConfig: "libjpeg"),
        .target(name: "CBaseline", dependencies: ["CLibtorchForBaseline", "CLibJPEGForBaseline"]),
        .executableTarget(
            name: "deit-benchmarks",
            dependencies: [
                "CBaseline",
                .product(name: "Torch", package: "swift-deit"),
                .product(name: "TorchNN", package: "swift-deit"),
                .product(name: "VisionModels", package: "swift-deit"),
                .product(name: "Checkpoints", package: "swift-deit"),
                .product(name: "ImagePipeline", package: "swift-deit"),
            ],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .treatAllWarnings(as: .error),
            ],
            linkerSettings: runPath()
        ),
    ],
    cxxLanguageStandard: .cxx20
)
