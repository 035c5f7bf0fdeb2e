public import Testing
import Torch

/// Runs a closure and expects that no tensor made in it is still alive afterwards.
///
/// The count is the process's, so every test that makes tensors runs on ``Torch/ModelActor``: nothing else then makes or
/// drops one in between.
///
/// - Parameters:
///   - location: Where a leak is reported.
///   - body: What to run, without waiting.
/// - Returns: What the closure returns; a tensor in it would count as leaked.
/// - Throws: What the closure throws.
@ModelActor
@discardableResult
public func withTensorLeakCheck<R: Sendable>(
    location: SourceLocation = #_sourceLocation,
    _ body: () throws -> R
) rethrows -> R {
    let before = Tensor.liveCount
    let result = try body()
    let after = Tensor.liveCount
    if after != before {
        Issue.record("\(after - before) tensors outlive the closure", sourceLocation: location)
    }
    return result
}
