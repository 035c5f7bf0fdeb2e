public import TorchNN

/// What a convolutional network of some family is made from.
public protocol ConvNetConfiguration: Codable, Sendable, Equatable {
    /// The channels of an image.
    var inChannels: Int { get set }

    /// The number of classes; 0 for a backbone without a classifier.
    var numClasses: Int { get set }

    /// The height and width that images usually have, in pixels; the network takes others as well.
    var imageSize: Int { get set }

    /// The channels of the last maps.
    var numFeatures: Int { get }

    /// How large the network is, without making it.
    var networkSize: NetworkSize { get }

    /// Checks that a network can be made from this.
    ///
    /// - Throws: `ConfigurationError` that names the number that does not fit.
    func validate() throws(ConfigurationError)

    /// Creates the network with freshly initialised weights.
    ///
    /// - Returns: The network.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack
    ///   of memory.
    func makeModel() throws -> any ConvNet
}

extension ConvNetConfiguration {
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
