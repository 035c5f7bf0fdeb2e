import Synchronization

/// A wish from outside, such as a signal, that training stop after the step at hand.
public final class StopRequest: Sendable {
    private let code = Atomic<Int32>(0)

    /// No wish yet.
    public init() {}

    /// Asks for the stop.
    ///
    /// - Parameter signal: The signal's number, kept for the exit code.
    /// - Returns: Whether this was the first wish.
    @discardableResult
    public func request(signal: Int32) -> Bool {
        code.compareExchange(expected: 0, desired: signal, ordering: .sequentiallyConsistent)
            .exchanged
    }

    /// The signal that asked, or nil.
    public var signal: Int32? {
        let value = code.load(ordering: .sequentiallyConsistent)
        return value == 0 ? nil : value
    }
}
