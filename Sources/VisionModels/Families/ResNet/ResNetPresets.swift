extension ModelRegistry {
    static let residualNetworks: [Preset] =
        [
            imageNet("resnet18", .basic, [2, 2, 2, 2]),
            imageNet("resnet34", .basic, [3, 4, 6, 3]),
            imageNet("resnet50", .bottleneck, [3, 4, 6, 3]),
            imageNet("resnet101", .bottleneck, [3, 4, 23, 3]),
        ] + [8, 14, 20, 32, 56].map(cifar)

    private static func imageNet(
        _ name: String,
        _ block: ResNetConfiguration.BlockKind,
        _ layers: [Int]
    ) -> Preset {
        Preset(
            name: name,
            family: "resnet",
            configuration: .resNet(
                ResNetConfiguration(
                    block: block,
                    stem: .imagenet,
                    layers: layers,
                    widths: [64, 128, 256, 512]
                )
            )
        )
    }

    // He et al., section 4.2: 6n + 2 layers of widths 16, 32 and 64.
    private static func cifar(_ depth: Int) -> Preset {
        Preset(
            name: "resnet\(depth)_cifar",
            family: "resnet",
            configuration: .resNet(
                ResNetConfiguration(
                    block: .basic,
                    stem: .cifar,
                    layers: Array(repeating: (depth - 2) / 6, count: 3),
                    widths: [16, 32, 64],
                    numClasses: 10,
                    imageSize: 32
                )
            )
        )
    }
}
