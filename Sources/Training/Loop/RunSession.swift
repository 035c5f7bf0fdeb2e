import Foundation
public import Torch

/// A run of any method, set up and ready to go.
@ModelActor
public protocol RunSession: AnyObject {
    /// What follows from options, data and model.
    nonisolated var plan: RunPlan { get }
    /// The step that the run goes on from; 0 at the start.
    var startStep: Int { get }
    /// Does what comes before the first step, where the method has any such.
    ///
    /// - Returns: How it was stopped; nil where it was not.
    func prepare() async throws -> Trainer.Outcome?
    /// Measures what the run will take, where the method can; nothing of the run changes.
    func estimate() throws -> RunEstimate?
    /// Finds the most images of noise that go forward and backward at once in the device's memory.
    ///
    /// - Parameter limit: The largest number of interest, at least 1.
    /// - Returns: The number; nil where not even one fits. Nothing of the run changes.
    /// - Throws: What computing throws, other than a lack of memory.
    func largestBatch(upTo limit: Int) throws -> Int?
    /// Trains to the end, or until asked to stop.
    func run() async throws -> Trainer.Outcome
}

extension RunSession {
    /// Nothing comes before the first step.
    public func prepare() async throws -> Trainer.Outcome? { nil }
}
