import Foundation

/// The state of a run whose options are known.
public enum RunStatus: Sendable, Equatable {
    /// There is nothing yet.
    case absent
    /// It was begun, and so many steps are saved.
    case begun(step: Int)
    /// It is at its end.
    case finished(RunResult)
    /// Its folder holds a run with other options: `mixup is 0.8 in the run, 0 in the study`.
    case changed([String])

    /// The settings that change what comes out.
    private static let deciding = Settings.of(.supervised).filter {
        ![.records, .files, .nothing].contains($0.effect)
    }

    /// Looks at a run's folder.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - options: The options that the run should have.
    /// - Throws: ``RunError`` for a folder that holds something else or a damaged run.
    public init(of path: String, options: TrainingOptions) throws {
        guard FileManager.default.fileExists(atPath: path + "/run.yaml") else {
            try RunDirectory.check(path, resume: false)
            self = .absent
            return
        }
        let stored = try RunManifest.read(path + "/run.yaml").options
        let differences = Self.deciding.compactMap { setting -> String? in
            let (old, new) = (setting.text(in: stored), setting.text(in: options))
            return old == new
                ? nil
                : "\(setting.key) is \(Self.shown(old)) in the run and \(Self.shown(new)) in the study"
        }
        guard differences.isEmpty else {
            self = .changed(differences)
            return
        }
        guard let state = Self.state(of: path) else {
            self = .begun(step: 0)
            return
        }
        self =
            state.isFinished(epochs: options.epochs)
            ? .finished(try RunResult(run: path, state: state)) : .begun(step: state.step)
    }

    /// The state in the newest checkpoint; nil where there is none, or a damaged one, from which a resumed run knows a
    /// way out.
    static func state(of path: String) -> TrainerState? {
        let file = URL(fileURLWithPath: path + "/checkpoints/last/trainer.json")
        return (try? Data(contentsOf: file)).flatMap {
            try? JSONDecoder().decode(TrainerState.self, from: $0)
        }
    }

    private static func shown(_ text: String) -> String { text.isEmpty ? "not set" : text }
}
