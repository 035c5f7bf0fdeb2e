/// Fetches models from the hub into the cache that Python's hub client uses too.
///
/// ```swift
/// let client = HubClient(configuration: try HubConfiguration())
/// let folder = try await client.snapshot(of: HubRepository("facebook/deit-tiny-patch16-224"))
/// ```
///
/// A download that was cut short, by whatever cause, goes on where it stopped. Every file is compared with the checksum
/// and the size that the hub promised before it gets its name.
///
/// ## Source
/// huggingface_hub, `_snapshot_download.py` and `file_download.py`.
public struct HubClient: Sendable {
    /// Where the hub and the cache are.
    public let configuration: HubConfiguration

    /// The cache.
    public var cache: HubCache { HubCache(folder: configuration.cacheFolder) }

    /// Waits between two attempts; tests do not.
    let pause: @Sendable (Duration) async throws -> Void

    /// Creates a client.
    ///
    /// - Parameter configuration: Where the hub and the cache are.
    public init(configuration: HubConfiguration) {
        self.init(configuration: configuration) { try await Task.sleep(for: $0) }
    }

    init(
        configuration: HubConfiguration,
        pause: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.configuration = configuration
        self.pause = pause
    }

    /// Brings what a model needs into the cache.
    ///
    /// - Parameters:
    ///   - repository: The repository.
    ///   - revision: A branch, a tag or a commit.
    ///   - progress: Called with events, on any thread.
    /// - Returns: The folder with the files, which loads as a model directory.
    /// - Throws: ``HubError``.
    public func snapshot(
        of repository: HubRepository,
        revision: String = "main",
        progress: @escaping @Sendable (HubEvent) -> Void = { _ in }
    ) async throws(HubError) -> String {
        try await pull(repository, revision: revision, progress: progress).folder
    }

    /// Brings a revision's files into the cache.
    ///
    /// The hub is asked what the revision means now, unless the network is switched off or the revision is a commit
    /// whose model is whole.
    ///
    /// - Parameters:
    ///   - repository: The repository.
    ///   - revision: A branch, a tag or a commit.
    ///   - files: Which of its files.
    ///   - progress: Called with events, on any thread.
    /// - Returns: Where they are, and what was fetched.
    /// - Throws: ``HubError``.
    public func pull(
        _ repository: HubRepository,
        revision: String = "main",
        files: HubFileSelection = .model,
        progress: @escaping @Sendable (HubEvent) -> Void = { _ in }
    ) async throws(HubError) -> HubSnapshot {
        try HubNames.checkRevision(revision)
        if configuration.isOffline { return try cached(repository, revision, files) }
        if files == .model, HubNames.isCommit(revision),
            cache.missingFiles(of: revision, in: repository).isEmpty
        {
            return try cached(repository, revision, files)
        }
        let pull = HubPull(
            transport: HubTransport(
                connection: HTTPConnection(),
                configuration: configuration,
                repository: repository
            ),
            cache: cache,
            repository: repository,
            revision: revision,
            selection: files,
            report: progress,
            pause: pause
        )
        return try await pull.run()
    }

    /// What the cache has of a revision, without asking anybody.
    private func cached(
        _ repository: HubRepository,
        _ revision: String,
        _ files: HubFileSelection
    ) throws(HubError) -> HubSnapshot {
        func offline(_ reason: String) -> HubError {
            .offline(repository: repository.name, revision: revision, reason: reason)
        }
        guard let folder = cache.snapshot(of: revision, in: repository),
            let commit = cache.commit(of: revision, in: repository)
        else { throw offline("it was not downloaded to \(cache.folder)") }
        if files.include.isEmpty {
            // A model without its pre-processing still loads, and the assumption is reported.
            let missing = cache.missingFiles(of: revision, in: repository)
                .filter { $0 != HubFileSelection.processor }
            guard missing.isEmpty else {
                throw offline("\(folder) lacks \(missing.joined(separator: ", "))")
            }
        }
        return HubSnapshot(folder: folder, commit: commit)
    }
}
