public import Torch
public import TorchNN

/// DINO's projection head: a multilayer perceptron, a point on the unit sphere, and its cosines with K directions.
///
/// The last layer is weight-normalised: row k of its matrix is `g_k · v_k / ‖v_k‖`.
///
/// ## Shapes
/// - Input: `[batch, inDim]`
/// - Output: `[batch, outDim]`
///
/// ## Parameters in a checkpoint
/// - `mlp.0.weight`: `[hiddenDim, inDim]` and so on; activations count as layers. `mlp.weight` with one layer.
/// - `last_layer.weight_g`: `[outDim, 1]`, `last_layer.weight_v`: `[outDim, bottleneckDim]`
///
/// ## Source
/// Caron et al. (arXiv:2104.14294), section 3.1 and appendix C; dino `vision_transformer.py`, `DINOHead`.
public final class DINOHead: Module {
    /// What a head is made from.
    public struct Configuration: Sendable, Equatable, Codable {
        /// The width of the features that it reads.
        public var inDim: Int
        /// The number of outputs, K.
        public var outDim: Int
        /// Whether hidden layers are normalised by batch.
        public var usesBatchNorm: Bool
        /// Whether the lengths `g` of the last layer's rows stay 1.
        public var normLastLayer: Bool
        /// The layers before the last one.
        public var layers: Int
        /// The width of the hidden layers.
        public var hiddenDim: Int
        /// The width of what the last layer reads.
        public var bottleneckDim: Int

        /// Creates a configuration; the defaults are those of DINO's code.
        public init(
            inDim: Int,
            outDim: Int,
            usesBatchNorm: Bool = false,
            normLastLayer: Bool = true,
            layers: Int = 3,
            hiddenDim: Int = 2_048,
            bottleneckDim: Int = 256
        ) {
            self.inDim = inDim
            self.outDim = outDim
            self.usesBatchNorm = usesBatchNorm
            self.normLastLayer = normLastLayer
            self.layers = layers
            self.hiddenDim = hiddenDim
            self.bottleneckDim = bottleneckDim
        }

        /// Checks that a head can be made from this.
        ///
        /// - Throws: `ConfigurationError` that names the number that does not fit.
        public func validate() throws(ConfigurationError) {
            for (name, value) in [
                ("the head's input width", inDim), ("the head's number of outputs", outDim),
                ("the head's number of layers", layers), ("the head's hidden width", hiddenDim),
                ("the head's bottleneck", bottleneckDim),
            ] where !(1...10_000_000).contains(value) {
                throw .outOfRange(
                    name: name,
                    value: "\(value)",
                    expected: "at least 1 and at most 10000000"
                )
            }
        }
    }

    /// The layers up to the sphere, in the places that PyTorch's `Sequential` gives them.
    public let mlp: [Module]
    /// The cosines.
    public let lastLayer: WeightNormLinear

    /// Creates a head with freshly initialised weights.
    ///
    /// - Parameter configuration: What to make it from.
    /// - Throws: `ConfigurationError` when the numbers do not fit together, `TorchError` for a lack of memory.
    public init(_ configuration: Configuration) throws {
        try configuration.validate()
        var mlp: [Module] = []
        var width = configuration.inDim
        for _ in 1..<configuration.layers {
            mlp.append(try Linear(width, configuration.hiddenDim))
            width = configuration.hiddenDim
            if configuration.usesBatchNorm { mlp.append(try BatchNorm2d(width)) }
            mlp.append(GELU())
        }
        mlp.append(try Linear(width, configuration.bottleneckDim))
        self.mlp = mlp
        self.lastLayer = try WeightNormLinear(
            configuration.bottleneckDim,
            configuration.outDim,
            trainsLengths: !configuration.normLastLayer
        )
    }

    /// Returns the outputs for features.
    ///
    /// - Parameter x: `[batch, inDim]`.
    /// - Returns: `[batch, outDim]`.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        var x = x
        for layer in mlp {
            switch layer {
            case let linear as Linear: x = try linear(x)
            // Of rows it takes the mean and the variance of each column, as BatchNorm1d.
            case let norm as BatchNorm2d: x = try norm(x)
            case let gelu as GELU: x = try gelu(x)
            default: continue
            }
        }
        return try lastLayer(x.unitRows())
    }
}

/// A linear map without a bias whose rows have a direction and a length of their own.
///
/// ## Source
/// Salimans & Kingma, "Weight Normalization" (arXiv:1602.07868); `torch.nn.utils.weight_norm`.
public final class WeightNormLinear: Module {
    /// The rows' lengths, 1 at first, `[outFeatures, 1]`.
    public let weightG: Parameter
    /// The rows' directions, of any length, `[outFeatures, inFeatures]`.
    public let weightV: Parameter

    /// Creates a layer.
    ///
    /// - Parameters:
    ///   - inFeatures: The width of the input.
    ///   - outFeatures: The width of the output.
    ///   - trainsLengths: Whether the lengths are learnt, or stay 1.
    /// - Throws: `TorchError` for a lack of memory.
    public init(_ inFeatures: Int, _ outFeatures: Int, trainsLengths: Bool) throws(TorchError) {
        let initializer = Initializer.torchDefault(fanIn: inFeatures)
        self.weightG = try Parameter(Tensor.ones([outFeatures, 1]))
        self.weightV = try Parameter(initializer([outFeatures, inFeatures]))
        super.init()
        if !trainsLengths { try weightG.tensor.setRequiresGradient(false) }
    }

    /// Returns the mapped rows.
    ///
    /// - Parameter x: `[batch, inFeatures]`.
    /// - Returns: `[batch, outFeatures]`.
    /// - Throws: `TorchError` when the shape of `x` does not match.
    public func callAsFunction(_ x: Tensor) throws(TorchError) -> Tensor {
        let v = weightV.tensor
        let length = try (v * v).sum([1], keepDims: true).sqrt()
        let weight = try v * (weightG.tensor / length)
        guard ComputePolicy.current.linear == .oneDNN, x.device == .cpu else {
            return try Functional.linear(x, weight, nil)
        }
        return try Functional.linearOneDNN(x, weight, nil)
    }
}

extension Tensor {
    /// The rows scaled to length 1, as torch's `F.normalize`; rows of zeros stay.
    func unitRows() throws(TorchError) -> Tensor {
        let x = try to(.float32)
        let length = try (x * x).sum([-1], keepDims: true).sqrt().clamped(1e-12...Double.infinity)
        return try x / length
    }
}
