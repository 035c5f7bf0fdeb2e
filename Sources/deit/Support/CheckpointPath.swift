import Checkpoints
import Foundation
import Hub
import Storage

/// The path of a checkpoint that may be named on the hub.
enum CheckpointPath {
    /// Finds a checkpoint, and fetches it where it is a name that the cache does not have.
    ///
    /// - Parameters:
    ///   - nameOrPath: A path, `ORG/NAME`, or timm's name of weights, such as `vit_small_patch14_dinov2.lvd142m`.
    ///   - mustExist: Whether a path must lead somewhere; a teacher's is checked later, with the options it belongs to.
    /// - Returns: The path.
    /// - Throws: `HubError`, `CheckpointError` for a path that leads nowhere, ``CommandFailure`` for the name of a model
    ///   without weights.
    static func find(_ nameOrPath: String, mustExist: Bool = true) async throws -> String {
        let progress = PullProgress()
        defer { progress.clear() }
        let path = try await locate(nameOrPath, mustExist: mustExist, progress)
        guard !mustExist || FileManager.default.fileExists(atPath: path) else {
            throw CheckpointError.unreadable(
                path: path,
                reason: CheckpointLocation.absent + suggestion(for: path)
            )
        }
        return path
    }

    private static func locate(
        _ nameOrPath: String,
        mustExist: Bool,
        _ progress: PullProgress
    ) async throws -> String {
        // The name of a model without weights is reported with the options that it belongs to.
        guard mustExist || nameOrPath.contains(".") else {
            return try await PretrainedLocation.locate(nameOrPath, progress: progress.show)
        }
        let id = try ModelName.hubID(nameOrPath) ?? nameOrPath
        let path: String
        do {
            path = try await PretrainedLocation.locate(id, progress: progress.show)
        } catch {
            throw ModelName.explained(error, nameOrPath)
        }
        if id != nameOrPath { try ModelName.check(nameOrPath, in: path) }
        return path
    }

    /// The existing path most similar to a mistyped one.
    private static func suggestion(for path: String) -> String {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { String(path[...$0]) } ?? ""
        let name = slash.map { String(path[$0...].dropFirst()) } ?? path
        let manager = FileManager.default
        let names = (try? manager.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        let nearest = Suggestion.nearest(to: name, among: names.sorted())
        return nearest.map { "; did you mean \"\(folder)\($0)\"?" }
            ?? ModelName.suggestion(for: path)
    }
}
