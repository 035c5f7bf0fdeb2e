internal import CTorch

/// A failure inside libtorch, with libtorch's own message.
public struct TorchError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The name of the operation that failed.
    public let operation: String

    /// What libtorch said, without its backtrace.
    public let message: String

    /// Whether the device or the system had no more memory.
    public let isOutOfMemory: Bool

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - operation: The name of the operation that failed.
    ///   - message: What is wrong.
    ///   - isOutOfMemory: Whether there was no more memory.
    public init(operation: String, message: String, isOutOfMemory: Bool = false) {
        self.operation = operation
        self.message = message
        self.isOutOfMemory = isOutOfMemory
    }

    /// One sentence: the operation and what was wrong.
    public var description: String { "\(operation): \(message)" }
}

/// Runs a function of the C interface and throws what it reports.
///
/// - Parameters:
///   - operation: The name to report.
///   - body: The call; its result is 0 when it succeeded.
/// - Throws: ``TorchError`` with libtorch's message when the result is not 0.
func guarded(_ operation: StaticString, _ body: () -> Int32) throws(TorchError) {
    guard body() == 0 else { throw TorchError.last(operation) }
}

/// Runs a function of the C interface that gives one tensor.
func tensor(
    _ operation: StaticString,
    _ body: (_ out: UnsafeMutablePointer<ct_tensor?>) -> Int32
) throws(TorchError) -> Tensor {
    var handle: ct_tensor?
    guard body(&handle) == 0, let handle else { throw TorchError.last(operation) }
    return Tensor(owning: handle)
}

extension TorchError {
    static func last(_ operation: StaticString) -> TorchError {
        // Some of libtorch's messages run over many lines; the first says what was wrong.
        let text = String(cString: ct_last_error())
        let firstLine = text.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? text
        return TorchError(
            operation: "\(operation)",
            message: firstLine,
            isOutOfMemory: ct_last_error_is_memory()
        )
    }
}
