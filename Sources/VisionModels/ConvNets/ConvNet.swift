public import Torch
public import TorchNN

/// A convolutional classifier: maps of features, their mean, a linear classifier on it.
///
/// The names of the parts are timm's; `forwardHead(_:)` pools as timm's does.
public protocol ConvNet: ImageClassifier {
    /// The channels of the last maps, and so the length of the features that the classifier sees.
    var numFeatures: Int { get }

    /// The classifier, whatever its key; nil for a backbone without one.
    var linearClassifier: Linear? { get }

    /// Returns the maps after the last stage, and shows each layer's on the way.
    ///
    /// - Parameters:
    ///   - images: `[batch, inChannels, height, width]`.
    ///   - visit: Called with the key and the maps of the stem and of every block.
    /// - Returns: `[batch, numFeatures, height / 32, width / 32]`, or a quarter of the size for CIFAR networks.
    /// - Throws: `TorchError` when the shape does not fit, and what `visit` throws.
    func forwardFeatures(
        _ images: Tensor,
        visiting visit: (_ key: String, _ maps: Tensor) throws(TorchError) -> Void
    ) throws(TorchError) -> Tensor
}

extension ConvNet {
    /// Returns the maps after the last stage.
    ///
    /// - Parameter images: `[batch, inChannels, height, width]`.
    /// - Returns: `[batch, numFeatures, height / 32, width / 32]`, or a quarter of the size for CIFAR networks.
    /// - Throws: `TorchError` when the shape does not fit.
    public func forwardFeatures(_ images: Tensor) throws(TorchError) -> Tensor {
        try forwardFeatures(images) { (_, _) throws(TorchError) in }
    }

    /// Returns the features that the classifier sees: the mean of every map.
    ///
    /// - Parameter maps: What ``forwardFeatures(_:)`` returned.
    /// - Returns: `[batch, numFeatures]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public func pooled(_ maps: Tensor) throws(TorchError) -> Tensor { try maps.mean([2, 3]) }

    /// Returns the scores of the classes out of the last maps.
    ///
    /// - Parameter maps: What ``forwardFeatures(_:)`` returned.
    /// - Returns: `[batch, numClasses]`, before any softmax; without classes `[batch, numFeatures]`.
    /// - Throws: `TorchError` when the shape does not fit.
    public func forwardHead(_ maps: Tensor) throws(TorchError) -> Tensor {
        let features = try pooled(maps)
        guard let linearClassifier else { return features }
        return try linearClassifier(features)
    }

    /// Returns the scores of the classes, before any softmax; without classes what ``forwardHead(_:)`` says.
    public func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor {
        try forwardHead(forwardFeatures(images))
    }
}

/// A convolution without a bias that keeps the size but for its stride.
///
/// It is initialised as in arXiv:1502.01852.
func convolution(
    _ inChannels: Int,
    _ outChannels: Int,
    kernel: Int,
    stride: Int = 1,
    groups: Int = 1,
    isSame: Bool = false
) throws(TorchError) -> Conv2d {
    try Conv2d(
        inChannels,
        outChannels,
        kernel: kernel,
        stride: stride,
        padding: kernel / 2,
        isSame: isSame,
        groups: groups,
        bias: false,
        initializer: .kaimingNormal(fanOut: outChannels / max(groups, 1) * kernel * kernel)
    )
}
