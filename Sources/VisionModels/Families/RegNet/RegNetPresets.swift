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
            family: "regnety",
            configuration: .regNet(
                RegNetConfiguration(depths: depths, widths: widths, groupSize: groupSize)
            )
        )
    }
}
