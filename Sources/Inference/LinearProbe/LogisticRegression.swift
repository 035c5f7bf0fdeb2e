import Torch
import TorchNN

/// A linear classifier: softmax of `W x + b`, fitted with a penalty on `W`.
///
/// It is the minimum of `(1/n) Σ cross-entropy + ‖W‖² / (2 n C)`, which is one, so that the result depends neither on a
/// learning rate nor on an order of images. Features are taken as they are, in 64 bits, on the device of the current policy;
/// on the CPU where that is MPS, which has no such numbers.
///
/// ## Source
/// The function is that of scikit-learn's `LogisticRegression(C=strength)`.
public struct LogisticRegression {
    /// How it is fitted.
    public struct Options: Sendable, Equatable {
        /// The strength `C` of the data against the penalty, above 0.
        public var strength: Double

        /// The most steps.
        public var iterationLimit: Int

        /// The largest element of the gradient at which the search ends.
        public var tolerance: Double

        /// Creates options.
        ///
        /// - Parameters:
        ///   - strength: The strength `C` of the data against the penalty, above 0.
        ///   - iterationLimit: The most steps.
        ///   - tolerance: The largest element of the gradient at which the search ends.
        public init(strength: Double = 1, iterationLimit: Int = 1000, tolerance: Double = 1e-4) {
            self.strength = strength
            self.iterationLimit = iterationLimit
            self.tolerance = tolerance
        }
    }

    /// The steps that the search took.
    public let iterations: Int

    /// Whether the gradient became as small as wanted.
    public let isConverged: Bool

    /// `[width + 1, classes]` of `float64`: the weights, and the bias in the last row.
    private let parameters: Tensor
    private let width: Int

    /// Number of images per block.
    private static let blockSize = 4096

    /// Fits a classifier.
    ///
    /// - Parameters:
    ///   - features: The images to learn from, of at least two classes.
    ///   - options: How it is fitted.
    /// - Throws: `NeighbourError` for features that cannot be used, `TorchError` without memory.
    public init(_ features: LabelledFeatures, _ options: Options = Options()) throws {
        try Self.check(features)
        let classes = features.classNames.count
        let device = Self.device
        let data = try Tensor(features.values, shape: [features.count, features.width]).to(device)
        let labels = try Tensor(features.labels.map(Int64.init), shape: [features.count])
            .to(device)
        let decay = 1 / (Double(features.count) * options.strength)
        let width = features.width
        let start = try Tensor.zeros([width + 1, classes], dtype: .float64, device: device)
        let result = try withoutGradient { () throws(TorchError) in
            try LBFGS.minimize(
                from: start,
                iterationLimit: options.iterationLimit,
                tolerance: options.tolerance
            ) { parameters throws(TorchError) in
                try Self.objective(parameters, data, labels, decay: decay)
            }
        }
        parameters = result.point
        iterations = result.iterations
        isConverged = result.isConverged
        self.width = width
    }

    /// Returns the probabilities of the classes.
    ///
    /// - Parameter values: Vectors, one after the other.
    /// - Returns: The probabilities, vector by vector.
    /// - Throws: `NeighbourError` for numbers that are no whole vectors, `TorchError` without memory.
    public func probabilities(of values: [Float]) throws -> [Float] {
        guard values.count.isMultiple(of: width) else {
            throw NeighbourError.invalidShape(
                "\(values.count) values are not a multiple of the vector length \(width)"
            )
        }
        let data = try Tensor(values, shape: [values.count / width, width]).to(parameters.device)
        return try withoutGradient { () throws(TorchError) in
            try Functional.softmax(Self.logits(parameters, data.to(DType.float64))).floats()
        }
    }

    /// Counts right predictions among images, whose classes are given as those learnt.
    func scores(of features: LabelledFeatures, labels: [Int]) throws -> Scores {
        guard features.width == width else {
            throw NeighbourError.differentWidths(bank: width, queries: features.width)
        }
        guard features.values.allSatisfy(\.isFinite) else {
            throw NeighbourError.notFinite(place: 0)
        }
        let data = try Tensor(features.values, shape: [features.count, width])
            .to(parameters.device)
        var scores = Scores()
        for start in stride(from: 0, to: features.count, by: Self.blockSize) {
            let rows = start..<min(start + Self.blockSize, features.count)
            let logits = try withoutGradient { () throws(TorchError) in
                try Self.logits(parameters, data.narrowed(0, rows).to(DType.float64)).floats()
            }
            scores.add(logits, classes: parameters.shape[1], labels: Array(labels[rows]))
        }
        return scores
    }

    /// Where it is computed.
    private static var device: Device {
        let device = ComputePolicy.current.device
        return device == .mps ? .cpu : device
    }

    private static func check(_ features: LabelledFeatures) throws(NeighbourError) {
        guard features.count > 0, features.width > 0 else { throw .empty }
        guard features.values.count == features.count * features.width else {
            throw .invalidShape(
                "\(features.values.count) numbers are not \(features.count) vectors of \(features.width)"
            )
        }
        guard features.labels.allSatisfy({ features.classNames.indices.contains($0) }) else {
            throw .invalidShape("a label is outside of the \(features.classNames.count) classes")
        }
        if let bad = features.values.firstIndex(where: { !$0.isFinite }) {
            throw .notFinite(place: bad / features.width)
        }
        guard features.labels.contains(where: { $0 != features.labels[0] }) else { throw .oneClass }
    }

    private static func logits(_ parameters: Tensor, _ x: Tensor) throws(TorchError) -> Tensor {
        let width = x.shape[1]
        return try x.matmul(parameters.narrowed(0, 0..<width))
            + parameters.narrowed(0, width..<(width + 1))
    }

    /// The function and its gradient, summed over blocks of images so that only those are held in 64 bits.
    private static func objective(
        _ parameters: Tensor,
        _ data: Tensor,
        _ labels: Tensor,
        decay: Double
    ) throws(TorchError) -> (value: Double, gradient: Tensor) {
        let (count, width) = try data.shape2()
        let classes = parameters.shape[1]
        let weights = try parameters.narrowed(0, 0..<width)
        let weightGradient = try weights * decay
        let biasGradient = try Tensor.zeros(
            [1, classes],
            dtype: .float64,
            device: parameters.device
        )
        var value = try (weights * weights).sum().item() * decay / 2
        for start in stride(from: 0, to: count, by: blockSize) {
            let rows = start..<min(start + blockSize, count)
            let x = try data.narrowed(0, rows).to(DType.float64)
            let targets = try labels.narrowed(0, rows).oneHot(classes: classes).to(DType.float64)
            let logProbabilities = try Functional.logSoftmax(logits(parameters, x))
            value -= try (logProbabilities * targets).sum().item() / Double(count)
            let error = try (logProbabilities.exp() - targets) / Double(count)  // [rows, classes]
            try weightGradient.copy(from: weightGradient + x.transposed(0, 1).matmul(error))
            try biasGradient.copy(from: biasGradient + error.sum([0], keepDims: true))
        }
        return (value, try Tensor.cat([weightGradient, biasGradient], dim: 0))
    }
}
