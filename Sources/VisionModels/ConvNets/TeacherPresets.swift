extension ModelRegistry {
    // The widths that the design space's lines give (arXiv:2003.13678, table 9), as timm quantises them. torchvision
    // rounds those of 8GF in another way, for which timm has the name `regnety_080_tv`.
    static let regNets: [Preset] = [
        regNet("regnety_040", [2, 6, 12, 2], [128, 192, 512, 1088], groupSize: 64),
        regNet("regnety_080", [2, 4, 10, 1], [168, 448, 896, 2016], groupSize: 56),
        regNet("regnety_080_tv", [2, 4, 10, 1], [224, 448, 896, 2016], groupSize: 56),
        regNet("regnety_120", [2, 5, 11, 1], [224, 448, 896, 2240], groupSize: 112),
        regNet("regnety_160", [2, 4, 11, 1], [224, 448, 1232, 3024], groupSize: 112),
    ]

    private static func regNet(
        _ name: String,
        _ depths: [Int],
        _ widths: [Int],
        groupSize: Int
    ) -> Preset {
        Preset(
            name: name,
            configuration: .regNet(
                RegNetConfiguration(depths: depths, widths: widths, groupSize: groupSize)
            )
        )
    }

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
