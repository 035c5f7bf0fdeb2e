import Checkpoints
import Datasets
import Evaluation
import Foundation
import Hub
import ImagePipeline
import Inference
import Storage
import Torch
import TorchNN
import Training

/// A sentence for the user and the exit code that goes with it.
///
/// Codes: 0 success, 64 a wrong call, 65 data or a checkpoint that cannot be used, 1 anything else,
/// 130 and 143 stopped by SIGINT and SIGTERM after everything was saved.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    let exitCode: Int32

    static let wrongCall: Int32 = 64
    static let badData: Int32 = 65
    static let other: Int32 = 1

    init(_ description: String, exitCode: Int32) {
        self.description = description
        self.exitCode = exitCode
    }

    /// What to tell about any error that reaches the top.
    init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as OptionError: self.init(error.description, exitCode: Self.wrongCall)
        case let error as DeviceError: self.init(error.description, exitCode: Self.wrongCall)
        case let error as RunError: self.init(error.description, exitCode: Self.code(of: error))
        case let error as ConfigurationError: self.init(error.description, exitCode: Self.wrongCall)
        case let error as DatasetError: self.init(error.description, exitCode: Self.badData)
        case let error as ImageError: self.init(error.description, exitCode: Self.badData)
        case let error as StorageError:
            self.init(error.description, exitCode: Self.code(of: CheckpointError(error)))
        case let error as CheckpointError:
            self.init(error.description, exitCode: Self.code(of: error))
        case let error as HubError: self.init(error.description, exitCode: Self.code(of: error))
        case let error as TrainingError:
            self.init(error.description, exitCode: Self.code(of: error))
        case let error as ProcessGroupError:
            self.init(error.description, exitCode: Self.code(of: error))
        case let error as TeacherCacheError:
            self.init(error.description, exitCode: Self.code(of: error))
        case let error as NeighbourError:
            self.init(error.description, exitCode: Self.code(of: error))
        case let error as InferenceError:
            self.init(error.description, exitCode: Self.code(of: error))
        case let error as EvaluationError:
            self.init(error.description, exitCode: Self.code(of: error))
        case let error as any CustomStringConvertible & Error:
            self.init(error.description, exitCode: Self.other)
        default:
            self.init(error.localizedDescription, exitCode: Self.other)
        }
    }

    private static func code(of error: ProcessGroupError) -> Int32 {
        switch error.cause {
        case .environment, .differs: wrongCall
        default: other
        }
    }

    private static func code(of error: NeighbourError) -> Int32 {
        switch error {
        case .invalidCount, .invalidTemperature: wrongCall
        case .empty, .invalidShape, .notFinite, .differentWidths, .oneClass: badData
        }
    }

    private static func code(of error: RunError) -> Int32 {
        switch error {
        case .notEmpty, .notARun: wrongCall
        case .unreadable: badData
        case .locked, .cannotWrite: other
        }
    }

    private static func code(of error: InferenceError) -> Int32 {
        switch error {
        case .noSuchFeature, .notInFormat: wrongCall
        default: badData
        }
    }

    private static func code(of error: EvaluationError) -> Int32 {
        switch error {
        case .fixedSize, .invalid, .tooLarge, .notEmpty: wrongCall
        default: badData
        }
    }

    private static func code(of error: HubError) -> Int32 {
        switch error {
        case .invalidName, .invalidSetting: wrongCall
        case .unresolved, .offline, .notFound, .noModel, .wrongBytes, .badAnswer: badData
        case .unreachable, .accessDenied, .cache: other
        case .cancelled: 128 + SIGINT
        }
    }

    private static func code(of error: CheckpointError) -> Int32 {
        if case .unwritable = error { other } else { badData }
    }

    private static func code(of error: TeacherCacheError) -> Int32 {
        if case .otherAnswers = error { badData } else { wrongCall }
    }

    private static func code(of error: TrainingError) -> Int32 {
        switch error {
        case .otherClasses, .otherInput, .otherTask, .otherData, .noUsableCheckpoint: badData
        case .diverged, .outOfMemory, .processesDiffer: other
        case .invalidPlan: wrongCall
        }
    }
}
