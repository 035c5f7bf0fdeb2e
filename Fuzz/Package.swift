// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nothing here reaches those who depend on swift-deit.
//
// The parsers are the root package's own files, by links, compiled with libFuzzer's coverage. They need
// no libtorch; what configurations name of it stands in for it (Torch, TorchNN, VisionModels).

let fuzzing: [SwiftSetting] = [
    // Parsers are internal: with this flag `@testable` reaches those of whole modules in an optimised build too.
    .unsafeFlags(["-sanitize=fuzzer", "-parse-as-library", "-enable-testing"]),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "Fuzz",
    platforms: [.macOS(.v15)],
    targets: [
        .systemLibrary(name: "CLibFuzzer"),
        .systemLibrary(name: "CLibJPEG", pkgConfig: "libjpeg"),
        .systemLibrary(name: "CLibPNG", pkgConfig: "libpng"),
        .systemLibrary(name: "CLibWebP", pkgConfig: "libwebp"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .target(name: "CImageCodecs", dependencies: ["CLibJPEG", "CLibPNG", "CLibWebP", "CZlib"]),
        .target(name: "ImagePipeline", dependencies: ["CImageCodecs"], swiftSettings: fuzzing),
        .target(name: "CMappedFile"),
        .target(name: "Storage", dependencies: ["CMappedFile", "CZlib"], swiftSettings: fuzzing),
        .target(
            name: "Datasets",
            dependencies: ["Storage", "CZlib", "ImagePipeline"],
            swiftSettings: fuzzing
        ),
        .target(name: "Torch", swiftSettings: fuzzing),
        .target(name: "TorchNN", swiftSettings: fuzzing),
        .target(name: "VisionModels", dependencies: ["TorchNN"], swiftSettings: fuzzing),
        .executableTarget(
            name: "deit-fuzz",
            dependencies: [
                "CLibFuzzer", "Datasets", "Storage", "ImagePipeline", "Torch", "TorchNN",
                "VisionModels",
            ],
            swiftSettings: fuzzing,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]
        ),
    ]
)
