// swift-tools-version: 6.2
import Foundation
import PackageDescription

// MARK: - libtorch

/// The folder of libtorch's shared libraries, read from the `libtorch.pc` that pkg-config finds too.
///
/// SwiftPM drops rpaths from `.pc` files, so executables and tests get theirs from here; the library
/// products stay free of unsafe flags, and packages can depend on them by version.
func libtorchLibraryFolder() -> String? {
    let environment = ProcessInfo.processInfo.environment
    let home = environment["HOME"] ?? ""
    let cache = environment["XDG_CACHE_HOME"] ?? "\(home)/.cache"
    let folders =
        (environment["PKG_CONFIG_PATH"] ?? "").split(separator: ":").map(String.init)
        + ["/usr/local/lib/pkgconfig", "\(cache)/swift-deit/pkgconfig"]
    for folder in folders {
        guard let text = try? String(contentsOfFile: "\(folder)/libtorch.pc", encoding: .utf8)
        else { continue }
        let prefix = text.split(separator: "\n").first { $0.hasPrefix("prefix=") }
        if let prefix { return prefix.dropFirst("prefix=".count) + "/lib" }
    }
    return nil
}

let rpath: [LinkerSetting] =
    libtorchLibraryFolder().map {
        [.unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", $0])]
    } ?? []

// MARK: - Settings

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(
    _ name: String,
    _ dependencies: [Target.Dependency],
    resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies + ["TestSupport"],
        resources: resources,
        swiftSettings: swiftSettings,
        linkerSettings: rpath
    )
}

// MARK: - Package

// Dependencies point one way, down the list in docs/architecture.md. A target imports only what it lists.
let package = Package(
    name: "swift-deit",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Storage", targets: ["Storage"]),
        .library(name: "Torch", targets: ["Torch"]),
        .library(name: "TorchNN", targets: ["TorchNN"]),
        .library(name: "ImagePipeline", targets: ["ImagePipeline"]),
        .library(name: "Datasets", targets: ["Datasets"]),
        .library(name: "VisionModels", targets: ["VisionModels"]),
        .library(name: "Checkpoints", targets: ["Checkpoints"]),
        .library(name: "Hub", targets: ["Hub"]),
        .library(name: "HuggingFace", targets: ["HuggingFace"]),
        .library(name: "Inference", targets: ["Inference"]),
        .library(name: "Training", targets: ["Training"]),
        .library(name: "Evaluation", targets: ["Evaluation"]),
        .executable(name: "deit", targets: ["deit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CMappedFile"),
        library("Storage", ["CMappedFile", "CZlib"]),

        .systemLibrary(name: "CLibtorch", pkgConfig: "libtorch"),
        // Of ATen's operators libtorch's headers then include those they use, which halves the time of the C++ files.
        .target(
            name: "CTorch",
            dependencies: ["CLibtorch"],
            cxxSettings: [
                .define("AT_PER_OPERATOR_HEADERS"),
                // Gloo's names that c10d's public header mentions; libtorch ships none of Gloo's headers.
                .headerSearchPath("distributed/stubs"),
            ]
        ),
        library("Torch", ["CTorch"]),
        library("TorchNN", ["Torch"]),

        .systemLibrary(
            name: "CLibJPEG",
            pkgConfig: "libjpeg",
            providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]
        ),
        .systemLibrary(
            name: "CLibPNG",
            pkgConfig: "libpng",
            providers: [.apt(["libpng-dev"]), .brew(["libpng"])]
        ),
        .systemLibrary(
            name: "CLibWebP",
            pkgConfig: "libwebp",
            providers: [.apt(["libwebp-dev"]), .brew(["webp"])]
        ),
        .target(name: "CImageCodecs", dependencies: ["CLibJPEG", "CLibPNG", "CLibWebP", "CZlib"]),
        library("ImagePipeline", ["CImageCodecs"]),
        library("Datasets", ["Storage", "ImagePipeline"]),

        library("VisionModels", ["Storage", "ImagePipeline", "Torch", "TorchNN"]),
        library(
            "Checkpoints",
            ["Storage", "VisionModels", "ImagePipeline", "Torch", "TorchNN"]
        ),
        // The system's libcurl, so that no TLS library is compiled here.
        .systemLibrary(
            name: "CLibcurl",
            pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]
        ),
        .target(name: "CHTTP", dependencies: ["CLibcurl"]),
        // On Apple's systems CryptoKit is in its place.
        .systemLibrary(
            name: "CLibcrypto",
            pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"])]
        ),
        .target(
            name: "Digests",
            dependencies: [.target(name: "CLibcrypto", condition: .when(platforms: [.linux]))],
            swiftSettings: swiftSettings
        ),
        library("Hub", ["CHTTP", "Digests", "Storage"]),
        library(
            "HuggingFace",
            ["Hub", "Checkpoints", "Storage", "VisionModels", "ImagePipeline", "Torch", "TorchNN"]
        ),
        library(
            "Inference",
            [
                "Datasets", "Checkpoints", "Storage", "ImagePipeline", "VisionModels", "Digests",
                "Torch", "TorchNN",
            ]
        ),
        // Sources/Training/Recipes is a link to Recipes/: the files travel inside the library and the command.
        .target(
            name: "Training",
            dependencies: [
                "Inference", "Datasets", "Checkpoints", "Storage", "ImagePipeline", "VisionModels",
                "Torch", "TorchNN",
                .product(name: "Yams", package: "Yams"),
            ],
            resources: [.embedInCode("Recipes")],
            swiftSettings: swiftSettings
        ),
        library(
            "Evaluation",
            [
                "Training", "Inference", "Datasets", "Checkpoints", "Storage", "ImagePipeline",
                "VisionModels", "Torch", "TorchNN",
            ]
        ),
        .executableTarget(
            name: "deit",
            dependencies: [
                "Hub", "Evaluation", "Training", "Inference", "Datasets", "Checkpoints", "Storage",
                "ImagePipeline", "VisionModels", "Torch", "TorchNN",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            // Bench/Peers is a link to Benchmarks/peers: the script travels inside the command.
            resources: [.embedInCode("Bench/Peers")],
            swiftSettings: swiftSettings,
            linkerSettings: rpath
        ),

        // An accelerator for tests, which needs no GPU.
        .target(
            name: "CFakeDevice",
            dependencies: ["CLibtorch"],
            path: "Tests/CFakeDevice",
            cxxSettings: [.define("AT_PER_OPERATOR_HEADERS")]
        ),
        .target(
            name: "TestSupport",
            dependencies: ["CFakeDevice", "Datasets", "ImagePipeline", "Torch"],
            path: "Tests/TestSupport",
            swiftSettings: swiftSettings
        ),
        // A hub on loopback, for the tests of the client and of the command.
        .target(
            name: "TestHub",
            dependencies: ["Digests"],
            path: "Tests/TestHub",
            swiftSettings: swiftSettings
        ),
        tests("StorageTests", ["Storage"], resources: [.copy("Fixtures")]),
        tests("TorchTests", ["Torch"]),
        tests("TorchNNTests", ["Torch", "TorchNN"]),
        tests("ImagePipelineTests", ["ImagePipeline"], resources: [.copy("Fixtures")]),
        tests(
            "DatasetsTests",
            ["Storage", "Datasets", "ImagePipeline"],
            resources: [.copy("Fixtures")]
        ),
        tests("VisionModelsTests", ["VisionModels", "Torch", "TorchNN"]),
        tests(
            "CheckpointsTests",
            ["Checkpoints", "Storage", "VisionModels", "ImagePipeline", "Torch", "TorchNN"],
            resources: [.copy("Fixtures")]
        ),
        tests(
            "HuggingFaceTests",
            [
                "HuggingFace", "Checkpoints", "Storage", "VisionModels", "ImagePipeline", "Torch",
                "TorchNN",
            ],
            resources: [.copy("Fixtures")]
        ),
        tests(
            "InferenceTests",
            [
                "Storage", "Inference", "Datasets", "Checkpoints", "ImagePipeline",
                "VisionModels", "Torch", "TorchNN",
            ],
            resources: [.copy("Fixtures")]
        ),
        tests(
            "TrainingTests",
            [
                "Storage", "Training", "Inference", "Datasets", "Checkpoints", "ImagePipeline",
                "VisionModels",
                "Torch",
                "TorchNN",
            ]
        ),
        tests(
            "EvaluationTests",
            [
                "Storage", "Evaluation", "Inference", "Training", "Datasets", "Checkpoints",
                "ImagePipeline", "VisionModels", "Torch", "TorchNN",
            ]
        ),
        tests(
            "ParityTests",
            [
                "Storage", "Evaluation", "Training", "Inference", "Checkpoints", "VisionModels",
                "ImagePipeline", "Digests", "Torch", "TorchNN",
            ],
            resources: [.copy("Fixtures")]
        ),
        tests(
            "DeviceTests",
            [
                "Evaluation", "Inference", "Datasets", "Checkpoints", "VisionModels",
                "ImagePipeline", "Torch", "TorchNN",
            ]
        ),
        tests("DigestsTests", ["Digests"]),
        tests("HubTests", ["Hub", "TestHub"]),
        tests(
            "EndToEndTests",
            [
                "TestHub", "Training", "Checkpoints", "VisionModels", "ImagePipeline", "Torch",
                "TorchNN",
            ]
        ),
    ],
    cxxLanguageStandard: .cxx20
)
