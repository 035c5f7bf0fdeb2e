/// A tensor in a file, as the file's table of contents describes it.
public struct ArchivedTensor: Sendable, Equatable {
    /// The key of the tensor.
    public let name: String

    /// The type of its elements in the file.
    public let dtype: SafetensorsDType

    /// Its shape; empty for a scalar.
    public let shape: [Int]

    /// Creates a description.
    ///
    /// - Parameters:
    ///   - name: The key of the tensor.
    ///   - dtype: The type of its elements in the file.
    ///   - shape: Its shape; empty for a scalar.
    public init(name: String, dtype: SafetensorsDType, shape: [Int]) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
    }

    /// The number of elements.
    ///
    /// An archive has checked that its tensors fit into the file, so the product is a small number.
    public var elementCount: Int {
        shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
    }
}
