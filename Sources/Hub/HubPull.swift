import Foundation

/// One pull: the listing, the choice, the downloads, and the names that make them a snapshot.
struct HubPull: Sendable {
    let transport: HubTransport
    let cache: HubCache
    let repository: HubRepository
    let revision: String
    let selection: HubFileSelection
    let report: @Sendable (HubEvent) -> Void
    let pause: @Sendable (Duration) async throws -> Void

    private static let largestListing = 1 << 26

    /// Brings a revision into the cache.
    ///
    /// The reference to the commit is written last: until then, who is offline finds what was whole before.
    func run() async throws(HubError) -> HubSnapshot {
        let listing = try await list()
        var files = try selection.choose(from: listing.files, of: repository)
        try cache.prepare(repository)
        let folder = cache.snapshotFolder(of: listing.commit, in: repository)
        var fetched: [String] = []
        var unverified: [String] = []
        func fetch(_ files: [String]) async throws(HubError) {
            let done = try await self.fetch(files, at: listing.commit)
            fetched += done.map(\.file)
            unverified += done.filter { BlobChecksum(tag: $0.tag) == nil }.map(\.file)
        }
        let isIndex = { (file: String) in file.hasSuffix(HubFileSelection.indexEnding) }
        if selection.include.isEmpty, let index = files.first(where: isIndex) {
            try await fetch([index])
            files += try shards(of: index, in: folder, listing)
        }
        try await fetch(files)
        if selection.include.isEmpty, !listing.files.contains(HubFileSelection.processor) {
            try cache.setAbsent(HubFileSelection.processor, at: listing.commit, in: repository)
        }
        try cache.setCommit(listing.commit, of: revision, in: repository)
        return HubSnapshot(
            folder: folder,
            commit: listing.commit,
            fetched: fetched,
            unverified: unverified
        )
    }

    private func list() async throws(HubError) -> HubListing {
        let what = "\(repository) at \(revision)"
        let url =
            "\(transport.configuration.endpoint)/api/models/\(repository)/revision/"
            + Self.encoded(revision, keeping: "")
        let bytes = try await persistently(what) { () async throws(HubTrouble) -> [UInt8] in
            let answer = try await transport.get(url, of: what)
            var listing: [UInt8] = []
            while let bytes = try await transport.next(of: answer) {
                guard bytes.count <= Self.largestListing - listing.count else {
                    throw .final(
                        .badAnswer(what: what, reason: "it is too large for a list of files")
                    )
                }
                listing += bytes
            }
            return listing
        }
        let listing = try HubListing(bytes, of: what)
        guard !HubNames.isCommit(revision) || revision == listing.commit else {
            throw HubError.badAnswer(what: what, reason: "it is of commit \(listing.commit)")
        }
        return listing
    }

    private func shards(
        of index: String,
        in folder: String,
        _ listing: HubListing
    ) throws(HubError) -> [String] {
        let shards = try HubFileSelection.shards(ofIndex: "\(folder)/\(index)")
        let present = Set(listing.files)
        if let missing = shards.first(where: { !present.contains($0) }) {
            throw HubError.noModel(
                repository: repository.name,
                reason: "\(index) names \(missing), which the repository does not have"
            )
        }
        return shards
    }

    // MARK: - Files

    /// Fetches those of the files that the snapshot lacks.
    private func fetch(
        _ files: [String],
        at commit: String
    ) async throws(HubError) -> [BlobDownload.Promise] {
        let folder = cache.snapshotFolder(of: commit, in: repository)
        var promises: [BlobDownload.Promise] = []
        for file in files where HubFileSystem.size("\(folder)/\(file)") == nil {
            promises.append(try await promise(of: file, at: commit))
        }
        let sizes = promises.compactMap(\.size)
        let total = sizes.count == promises.count ? sizes.reduce(0, Self.sum) : nil
        report(.planned(commit: commit, bytes: total, files: promises.count))
        try checkSpace(for: promises)
        for promise in promises { try await fetch(promise, at: commit) }
        return promises
    }

    private func fetch(
        _ promise: BlobDownload.Promise,
        at commit: String
    ) async throws(HubError) {
        let blob = cache.blob(promise.tag, in: repository)
        let lock = try await HubLock.acquire(cache.lock(promise.tag, in: repository)) {
            report(.waiting(file: promise.file))
        }
        defer { lock.release() }
        // Whoever held the lock, or another revision, may have brought the same bytes.
        var size = HubFileSystem.size(blob)
        if let promised = promise.size, size != promised { size = nil }
        if size == nil {
            let download = BlobDownload(
                promise: promise,
                transport: transport,
                report: report,
                pause: pause
            )
            size = try await download.run(into: blob + ".incomplete", thenTo: blob)
        }
        try cache.link(promise.file, to: promise.tag, at: commit, in: repository)
        let isVerified = BlobChecksum(tag: promise.tag) != nil
        report(.finished(file: promise.file, size: size ?? 0, isVerified: isVerified))
    }

    /// Asks what a file's bytes are called and how many they are.
    private func promise(
        of file: String,
        at commit: String
    ) async throws(HubError) -> BlobDownload.Promise {
        let url =
            "\(transport.configuration.endpoint)/\(repository)/resolve/\(commit)/"
            + Self.encoded(file, keeping: "/")
        let answer = try await persistently(file) { () async throws(HubTrouble) -> HubAnswer in
            try await transport.head(url, of: file)
        }
        func unusable(_ reason: String) -> HubError { .badAnswer(what: file, reason: reason) }
        if let found = answer.head[HubHeader.commit], found != commit {
            throw unusable("it is of commit \(HubNames.quoted(found)) instead of \(commit)")
        }
        let header =
            answer.head[HubHeader.linkedTag] ?? answer.head["ETag"]
        guard let header else {
            throw unusable("it has no ETag; if HF_ENDPOINT is set, check that it is a Hub")
        }
        let tag = HubNames.tag(header)
        guard HubNames.isSafeTag(tag) else {
            throw unusable("its ETag \(HubNames.quoted(tag)) is not a valid file name")
        }
        let size =
            answer.integer(HubHeader.linkedSize)
            ?? (answer.isRedirect ? nil : answer.integer("Content-Length"))
        guard size.map({ $0 >= 0 }) ?? true else { throw unusable("its size is negative") }
        return BlobDownload.Promise(file: file, url: url, tag: tag, size: size)
    }

    private func checkSpace(for promises: [BlobDownload.Promise]) throws(HubError) {
        let folder = cache.folder(of: repository)
        guard let free = HubFileSystem.freeBytes(at: folder) else { return }
        var needed = 0
        for promise in promises {
            let blob = cache.blob(promise.tag, in: repository)
            let present =
                HubFileSystem.size(blob) ?? HubFileSystem.size(blob + ".incomplete") ?? 0
            needed = Self.sum(needed, max((promise.size ?? 0) - present, 0))
        }
        guard needed > free else { return }
        throw HubError.cache(
            path: folder,
            reason: "the download needs \(needed) bytes, but \(free) are free; "
                + "free space, or set HF_HUB_CACHE to another directory"
        )
    }

    private static func sum(_ a: Int, _ b: Int) -> Int {
        let (sum, overflows) = a.addingReportingOverflow(b)
        return overflows ? Int.max : sum
    }

    // MARK: - Requests

    private func persistently<Value: Sendable>(
        _ what: String,
        _ once: () async throws(HubTrouble) -> Value
    ) async throws(HubError) -> Value {
        var attempts = HubAttempts(
            at: what,
            transport.configuration.retries,
            pause: pause,
            report: report
        )
        while true {
            let trouble: HubTrouble
            do throws(HubTrouble) {
                return try await once()
            } catch {
                trouble = error
            }
            try await attempts.wait(after: trouble)
        }
    }

    /// A text for a path of an address, with all but letters, digits and a few signs as `%XX`.
    private static func encoded(_ text: String, keeping kept: String) -> String {
        var allowed = CharacterSet()
        allowed.insert(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        allowed.insert(charactersIn: "0123456789-._~" + kept)
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }
}
