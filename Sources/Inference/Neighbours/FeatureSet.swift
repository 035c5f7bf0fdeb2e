public import Torch

/// Feature vectors of images with their labels, scaled to length 1 so that their products are cosines.
///
/// It holds four bytes a number: 77 MB for 50,000 vectors of 384. It holds a tensor and is not `Sendable`.
public struct FeatureSet {
    /// The vectors, `[count, width]` of `float32` on the CPU, each of length 1 (a vector of zeros stays one).
    public let vectors: Tensor

    /// The class of each vector, from 0 up to, not including, ``classCount``.
    public let labels: [Int]

    /// The number of classes that labels may name.
    public let classCount: Int

    /// The number of vectors.
    public var count: Int { labels.count }

    /// The numbers of a vector.
    public let width: Int

    /// Scales vectors and keeps them.
    ///
    /// - Parameters:
    ///   - values: The numbers, one vector after the other.
    ///   - width: The numbers of a vector.
    ///   - labels: The class of each vector.
    ///   - classCount: The number of classes.
    /// - Throws: ``NeighbourError`` for numbers that are not finite or do not fit the labels, `TorchError` without memory.
    public init(_ values: [Float], width: Int, labels: [Int], classCount: Int) throws {
        guard !labels.isEmpty else { throw NeighbourError.empty }
        let (expected, overflow) = labels.count.multipliedReportingOverflow(by: width)
        guard width > 0, !overflow, values.count == expected else {
            throw NeighbourError.invalidShape(
                "\(values.count) numbers are not \(labels.count) vectors of \(width)"
            )
        }
        guard labels.allSatisfy({ (0..<classCount).contains($0) }) else {
            throw NeighbourError.invalidShape(
                "a label is outside of the \(classCount) classes"
            )
        }
        vectors = try Tensor(unwritten: [labels.count, width], dtype: .float32)
        self.labels = labels
        self.classCount = classCount
        self.width = width
        let bad = vectors.withMutableBytes { bytes in
            Self.scale(values, width: width, into: bytes.bindMemory(to: Float.self))
        }
        if let place = bad ?? nil { throw NeighbourError.notFinite(place: place) }
    }

    /// Scales the rows of a tensor and keeps them.
    ///
    /// - Parameters:
    ///   - features: `[count, width]`, of any type and device.
    ///   - labels: The class of each row.
    ///   - classCount: The number of classes.
    /// - Throws: As ``init(_:width:labels:classCount:)``.
    public init(_ features: Tensor, labels: [Int], classCount: Int) throws {
        let (count, width) = try features.shape2()
        guard count == labels.count else {
            throw NeighbourError.invalidShape("\(count) vectors have \(labels.count) labels")
        }
        try self.init(features.floats(), width: width, labels: labels, classCount: classCount)
    }

    /// Writes vectors of length 1, as torch's `F.normalize` makes them.
    ///
    /// - Returns: The first vector that is not finite; nil where all are.
    private static func scale(
        _ values: [Float],
        width: Int,
        into scaled: UnsafeMutableBufferPointer<Float>
    ) -> Int? {
        values.withUnsafeBufferPointer { values in
            for start in stride(from: 0, to: values.count, by: width) {
                var square = 0.0
                for i in start..<(start + width) { square += Double(values[i]) * Double(values[i]) }
                // The square of the largest Float is far below that of the largest Double.
                guard square.isFinite else { return start / width }
                let norm = max(square.squareRoot(), 1e-12)
                for i in start..<(start + width) { scaled[i] = Float(Double(values[i]) / norm) }
            }
            return nil
        }
    }
}
