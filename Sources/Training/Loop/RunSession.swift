import Foundation
public import Torch

/// A run of any method, set up and ready to go.
@ModelActor
public protocol RunSession: AnyObject {
    /// What follows from options, data and model.
    nonisolated var plan: TrainingPlan { get }
    /// The step that the run goes on from; 0 at the start.
    var startStep: Int { get }
    /// Does what comes before the first step, where the method has any such.
    ///
    /// - Returns: How it was stopped; nil where it was not.
    func prepare() async throws -> TrainingLoop.Outcome?
    /// Measures what the run will take, where the method can; nothing of the run changes.
    func estimate() throws -> RunEstimate?
    /// Trains to the end, or until asked to stop.
    func run() async throws -> TrainingLoop.Outcome
}

extension RunSession {
    /// Nothing comes before the first step.
    public func prepare() async throws -> TrainingLoop.Outcome? { nil }
}

extension TrainingSession.Request {
    /// Whether the run has no checkpoint yet: it is new, or was stopped before its first one.
    var isAtStart: Bool {
        resuming == nil || !FileManager.default.fileExists(atPath: output + "/checkpoints/last")
    }
}

/// Sets up runs.
@ModelActor
public enum RunSessions {
    /// Sets up a run by the method that its options name.
    ///
    /// - Parameters:
    ///   - request: What to train and where.
    ///   - observer: Watches the run.
    ///   - stop: Asks it to stop.
    /// - Returns: The run.
    /// - Throws: What is wrong with options, data, checkpoints or the folder, before anything is created.
    public static func make(
        _ request: TrainingSession.Request,
        observer: any TrainingObserver,
        stop: StopRequest
    ) throws -> any RunSession {
        switch request.options.method {
        case .supervised: try TrainingSession(request, observer: observer, stop: stop)
        case .dino: try DINOSession(request, observer: observer, stop: stop)
        case .mim: try MIMSession(request, observer: observer, stop: stop)
        }
    }
}
