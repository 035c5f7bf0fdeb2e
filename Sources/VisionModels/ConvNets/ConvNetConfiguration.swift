import TorchNN

/// What a convolutional network of some family is made from.
public protocol ConvNetConfiguration: NetworkConfiguration {
    /// The height and width that images usually have, in pixels; the network takes others as well.
    var imageSize: Int { get set }

    /// The channels of the last maps.
    var numFeatures: Int { get }
}

extension ConvNetConfiguration {
    /// The height and width that images usually have, in pixels; of two that differ the larger is kept.
    public var inputSize: (height: Int, width: Int) {
        get { (imageSize, imageSize) }
        set { imageSize = max(newValue.height, newValue.width) }
    }

    /// Checks what all families have, and numbers of a family's own.
    func validate(_ own: [(name: String, value: Int)]) throws(ConfigurationError) {
        let sizes = own + [("the number of channels", inChannels), ("the image size", imageSize)]
        for (name, value) in sizes where !(1...1_000_000).contains(value) {
            throw .outOfRange(
                name: name,
                value: "\(value)",
                expected: "at least 1 and at most 1000000"
            )
        }
        guard (0...1_000_000).contains(numClasses) else {
            throw .outOfRange(
                name: "the number of classes",
                value: "\(numClasses)",
                expected: "0 (a backbone) to 1000000"
            )
        }
    }
}
