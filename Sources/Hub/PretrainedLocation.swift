import Foundation
import Storage

/// Where the model is that a name means: the `pretrained_model_name_or_path` of `from_pretrained`.
public enum PretrainedLocation {
    /// Finds a model, and fetches it where it is not yet in the cache.
    ///
    /// What exists is taken as it is. Of a name on the hub, what the cache has is taken without asking the hub; ``HubClient``
    /// fetches what is newer. A text is a Hub model ID if it has the form `ORG/NAME` and there is neither a file of that name
    /// here nor a folder `ORG`; everything else is a path, and so is `runs/NAME`, where runs are kept. A mistyped path is
    /// never sent to the hub.
    ///
    /// - Parameters:
    ///   - nameOrPath: A path, or `ORG/NAME`.
    ///   - revision: A branch, a tag or a commit, for a name on the hub.
    ///   - configuration: Where the hub and the cache are; read from the environment when a name has to be looked up.
    ///   - progress: Called with events, on any thread.
    /// - Returns: A path. Where it is not a name on the hub, the same that was given, whether or not there is such a file.
    /// - Throws: ``HubError``.
    public static func locate(
        _ nameOrPath: String,
        revision: String = "main",
        configuration: HubConfiguration? = nil,
        progress: @escaping @Sendable (HubEvent) -> Void = { _ in }
    ) async throws(HubError) -> String {
        guard let repository = repository(named: nameOrPath) else { return nameOrPath }
        let settings: HubConfiguration
        if let configuration { settings = configuration } else { settings = try HubConfiguration() }
        let client = HubClient(configuration: settings)
        let cached = client.cache.snapshot(of: revision, in: repository)
        let missing = client.cache.missingFiles(of: revision, in: repository)
        if let cached, missing.isEmpty { return cached }
        do throws(HubError) {
            return try await client.snapshot(
                of: repository,
                revision: revision,
                progress: progress
            )
        } catch {
            // Without its pre-processing a model still loads, with assumptions that are reported.
            if case .unreachable = error, let cached, missing == [HubFileSelection.processor] {
                return cached
            }
            switch error {
            case .offline, .unreachable, .accessDenied, .notFound:
                // A mistyped path may look like a name.
                throw HubError.unresolved(nameOrPath, reason: error.description)
            default: throw error
            }
        }
    }

    /// The repository that a text means, or nil where it is a path.
    ///
    /// - Parameter nameOrPath: A path, or `ORG/NAME`.
    /// - Returns: The repository, if the text has its form and neither it nor its first part exists here; nil for the names of
    ///   runs (`runs/NAME`) and of files of weights.
    public static func repository(named nameOrPath: String) -> HubRepository? {
        let parts = nameOrPath.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] != "runs", let repository = try? HubRepository(nameOrPath)
        else { return nil }
        let files = FileManager.default
        guard !files.fileExists(atPath: nameOrPath), !files.fileExists(atPath: String(parts[0]))
        else { return nil }
        let endings = [".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar", ".json"]
        let name = nameOrPath.lowercased()
        return endings.contains(where: name.hasSuffix) ? nil : repository
    }
}
