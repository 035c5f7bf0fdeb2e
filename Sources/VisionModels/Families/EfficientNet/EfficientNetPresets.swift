extension ModelRegistry {
    static let efficientNets: [Preset] = [true, false].flatMap { isTensorFlow in
        [
            efficientNet(0, isTensorFlow, 224, [1, 2, 2, 3, 3, 4, 1], lite),
            efficientNet(1, isTensorFlow, 240, [1, 3, 3, 4, 4, 5, 1], lite),
            efficientNet(2, isTensorFlow, 260, [1, 3, 3, 4, 4, 5, 1], lite2),
        ]
    }

    private static let lite = [16, 24, 40, 80, 112, 192, 320]

    // The widths of `lite` times 1.1, to whole multiples of 8.
    private static let lite2 = [16, 24, 48, 88, 120, 208, 352]

    private static func efficientNet(
        _ number: Int,
        _ isTensorFlow: Bool,
        _ imageSize: Int,
        _ depths: [Int],
        _ widths: [Int]
    ) -> Preset {
        let kernels = [3, 3, 5, 3, 5, 5, 3]
        let strides = [1, 2, 2, 2, 1, 2, 1]
        let stages = widths.indices.map { index in
            EfficientNetConfiguration.Stage(
                depth: depths[index],
                kernel: kernels[index],
                stride: strides[index],
                expansion: index == 0 ? 1 : 6,
                width: widths[index]
            )
        }
        return Preset(
            name: (isTensorFlow ? "tf_" : "") + "efficientnet_lite\(number)",
            family: "efficientnet_lite",
            configuration: .efficientNet(
                EfficientNetConfiguration(
                    stages: stages,
                    padding: isTensorFlow ? .same : .symmetric,
                    normEps: isTensorFlow ? 1e-3 : 1e-5,
                    imageSize: imageSize
                )
            )
        )
    }
}
