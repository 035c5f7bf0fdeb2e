public import Torch

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
        _ request: RunRequest,
        observer: any TrainingObserver,
        stop: StopRequest
    ) throws -> any RunSession {
        var request = request
        _ = try request.trainingDevice()
        if request.options.batch == TrainingOptions.automaticBatch {
            request.options.batch = try LargestBatch.batch(request, observer: observer)
        }
        return switch request.options.method {
        case .supervised: try TrainingSession(request, observer: observer, stop: stop)
        case .dino: try DINOSession(request, observer: observer, stop: stop)
        case .mim: try MIMSession(request, observer: observer, stop: stop)
        }
    }
}
