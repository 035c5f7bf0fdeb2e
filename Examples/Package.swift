// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Programs that use swift-deit as a library. `make examples` builds and runs them.

/// The linker's flag for libtorch's folder, from the `libtorch.pc` that `make setup` wrote.
///
/// SwiftPM drops rpaths from `.pc` files, so a program that uses swift-deit gets its own here.
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

func program(_ name: String, _ libraries: String...) -> Target {
    .executableTarget(
        name: name,
        dependencies: libraries.map { .product(name: $0, package: "swift-deit") },
        swiftSettings: [.treatAllWarnings(as: .error)],
        linkerSettings: runPath()
    )
}

let package = Package(
    name: "Examples",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-deit", path: "..")],
    targets: [
        program("classify-images", "Inference"),
        program("train-your-own", "Datasets", "ImagePipeline", "Torch", "TorchNN", "Training"),
    ]
)
