public import TorchNN

/// Everything that a RegNetY is made from.
public struct RegNetConfiguration: ConvNetConfiguration {
    /// The number of blocks of each of the four stages.
    public var depths: [Int]

    /// The width of every stage, a multiple of ``groupSize`` or smaller than it.
    public var widths: [Int]

    /// How many channels a group of the 3×3 convolutions has.
    public var groupSize: Int

    /// The width inside squeeze-and-excitation as a share of the block's input.
    public var seRatio: Double

    /// The channels after the first convolution.
    public var stemWidth: Int

    /// The channels of an image.
    public var inChannels: Int

    /// The number of classes; 0 for a backbone without a classifier.
    public var numClasses: Int

    /// The height and width that images usually have, in pixels; the network takes others as well.
    public var imageSize: Int

    /// Creates a configuration.
    public init(
        depths: [Int],
        widths: [Int],
        groupSize: Int,
        seRatio: Double = 0.25,
        stemWidth: Int = 32,
        inChannels: Int = 3,
        numClasses: Int = 1000,
        imageSize: Int = 224
    ) {
        self.depths = depths
        self.widths = widths
        self.groupSize = groupSize
        self.seRatio = seRatio
        self.stemWidth = stemWidth
        self.inChannels = inChannels
        self.numClasses = numClasses
        self.imageSize = imageSize
    }

    /// The width inside squeeze-and-excitation of a block with so many input channels.
    func squeezedWidth(of inChannels: Int) -> Int {
        max(1, Int((Double(inChannels) * seRatio).rounded(.toNearestOrEven)))
    }

    /// The number of groups of a stage's 3×3 convolutions.
    func groups(of width: Int) -> Int { max(1, width / max(1, min(groupSize, width))) }

    /// Checks that a network can be made from this.
    ///
    /// - Throws: `ConfigurationError` that names the number that does not fit.
    public func validate() throws(ConfigurationError) {
        guard depths.count == 4, widths.count == 4 else {
            throw .outOfRange(
                name: "the number of stages",
                value: "\(depths.count) and \(widths.count)",
                expected: "4 for a RegNet"
            )
        }
        try validate(
            depths.map { ("a stage's number of blocks", $0) }
                + widths.map { ("a stage's width", $0) }
                + [("the group size", groupSize), ("the stem's width", stemWidth)]
        )
        if let width = widths.first(where: { $0 % min(groupSize, $0) != 0 }) {
            throw .outOfRange(
                name: "a stage's width",
                value: "\(width)",
                expected: "a multiple of the group size \(groupSize)"
            )
        }
        guard seRatio > 0, seRatio <= 1 else {
            throw .outOfRange(
                name: "the ratio of squeeze-and-excitation",
                value: "\(seRatio)",
                expected: "above 0 and at most 1"
            )
        }
    }

    /// The channels of the last maps.
    public var numFeatures: Int { widths.last ?? 0 }

    /// Creates the network with freshly initialised weights.
    public func makeModel() throws -> any ImageClassifier { try RegNet(self) }

    /// "a RegNetY".
    public var kind: String { "a RegNetY" }

    /// The blocks, widths and images.
    public func summary(images: String) -> String {
        "RegNetY, blocks \(depths), widths \(widths), groups of \(groupSize), images of \(images)"
    }

    /// How large the network is, without making it.
    public var networkSize: NetworkSize {
        guard (try? validate()) != nil else { return .unbounded }
        var count = NetworkSizeCount(side: imageSize)
        count.convolution(inChannels, stemWidth, kernel: 3, stride: 2)
        var channels = stemWidth
        for (depth, width) in zip(depths, widths) {
            for place in 0..<max(0, depth) {
                let stride = place == 0 ? 2 : 1
                count.convolution(channels, width, kernel: 1)
                count.convolution(
                    width,
                    width,
                    kernel: 3,
                    stride: stride,
                    groups: groups(of: width)
                )
                count.linear(width, squeezedWidth(of: channels))
                count.linear(squeezedWidth(of: channels), width)
                count.convolution(width, width, kernel: 1)
                if place == 0 { count.shortcut(channels, width) }
                channels = width
            }
        }
        if numClasses > 0 { count.linear(channels, numClasses) }
        return count.size
    }
}

extension ModelConfiguration {
    /// The configuration of a RegNetY.
    public static func regNet(_ configuration: RegNetConfiguration) -> ModelConfiguration {
        ModelConfiguration(configuration)
    }
}
