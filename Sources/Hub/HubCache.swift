import Storage

/// The folder that Python's hub client and this library share.
///
/// ```
/// models--ORG--NAME/
///   blobs/<tag>                 a file's bytes, named by its entity tag: sha256 of large files, git's sha1 of small ones
///   blobs/<tag>.incomplete      what has arrived of it so far
///   refs/<revision>             the commit that a branch or tag meant when it was last fetched
///   snapshots/<commit>/<file>   a relative link to the blob
///   .no_exist/<commit>/<file>   an empty file: the commit has no such file
/// .locks/models--ORG--NAME/<tag>.lock
/// ```
///
/// ## Source
/// huggingface_hub, `file_download.py`, `_hf_hub_download_to_cache_dir` and `try_to_load_from_cache`.
public struct HubCache: Sendable, Equatable {
    /// The cache's folder.
    public let folder: String

    /// Uses a folder, which need not exist yet.
    ///
    /// - Parameter folder: The folder that holds `models--ORG--NAME`.
    public init(folder: String) { self.folder = folder }

    /// The folder of a repository.
    ///
    /// - Parameter repository: The repository.
    /// - Returns: A path, whether or not there is such a folder.
    public func folder(of repository: HubRepository) -> String {
        "\(folder)/\(repository.folderName)"
    }

    /// The commit that a revision meant when it was last fetched.
    ///
    /// - Parameters:
    ///   - revision: A branch, a tag or a commit.
    ///   - repository: The repository.
    /// - Returns: 40 hexadecimal digits, or nil where the cache does not know the revision.
    public func commit(of revision: String, in repository: HubRepository) -> String? {
        if HubNames.isCommit(revision) { return revision }
        guard HubNames.isSafeFile(revision),
            let text = HubFileSystem.text("\(folder(of: repository))/refs/\(revision)")
        else { return nil }
        let commit = text.filter { !$0.isWhitespace }
        return HubNames.isCommit(commit) ? commit : nil
    }

    /// The folder with a revision's files, where it holds at least one.
    ///
    /// - Parameters:
    ///   - revision: A branch, a tag or a commit.
    ///   - repository: The repository.
    /// - Returns: The path of the snapshot, or nil where nothing of the revision was ever fetched.
    public func snapshot(of revision: String, in repository: HubRepository) -> String? {
        guard let commit = commit(of: revision, in: repository) else { return nil }
        let path = snapshotFolder(of: commit, in: repository)
        return HubFileSystem.isFolder(path) ? path : nil
    }

    /// What a snapshot lacks of a model: the configuration, the weights or the pre-processing.
    ///
    /// The pre-processing is not missed where the configuration carries it, as timm's does, or where the repository is
    /// known to have none.
    ///
    /// - Parameters:
    ///   - revision: A branch, a tag or a commit.
    ///   - repository: The repository.
    /// - Returns: File names; empty when the model is whole.
    public func missingFiles(of revision: String, in repository: HubRepository) -> [String] {
        guard let commit = commit(of: revision, in: repository) else {
            return HubFileSelection.essential
        }
        let snapshot = snapshotFolder(of: commit, in: repository)
        var missing = missingWeights(in: snapshot)
        let config = "\(snapshot)/\(HubFileSelection.configuration)"
        let processor = HubFileSelection.processor
        if HubFileSystem.size(config) == nil { missing.append(HubFileSelection.configuration) }
        let isKnownAbsent =
            HubFileSystem.size(absenceMark(of: processor, at: commit, in: repository)) != nil
        if HubFileSystem.size("\(snapshot)/\(processor)") == nil, !isKnownAbsent,
            HubFileSystem.text(config, limit: 1 << 22)?.contains("\"pretrained_cfg\"") != true
        {
            missing.append(processor)
        }
        return missing
    }

    private func missingWeights(in snapshot: String) -> [String] {
        for file in HubFileSelection.weights where HubFileSystem.size("\(snapshot)/\(file)") != nil
        {
            guard file.hasSuffix(HubFileSelection.indexEnding) else { return [] }
            guard let shards = try? HubFileSelection.shards(ofIndex: "\(snapshot)/\(file)") else {
                return [file]
            }
            return shards.filter { HubFileSystem.size("\(snapshot)/\($0)") == nil }
        }
        return [HubFileSelection.weights[0]]
    }
}

// MARK: - Paths and writing

extension HubCache {
    func snapshotFolder(of commit: String, in repository: HubRepository) -> String {
        "\(folder(of: repository))/snapshots/\(commit)"
    }

    func blob(_ tag: String, in repository: HubRepository) -> String {
        "\(folder(of: repository))/blobs/\(tag)"
    }

    func lock(_ tag: String, in repository: HubRepository) -> String {
        "\(folder)/.locks/\(repository.folderName)/\(tag).lock"
    }

    func absenceMark(of file: String, at commit: String, in repository: HubRepository) -> String {
        "\(folder(of: repository))/.no_exist/\(commit)/\(file)"
    }

    /// Makes the folders that a download needs, and tells programs that make backups what they are.
    func prepare(_ repository: HubRepository) throws(HubError) {
        let isNew = !HubFileSystem.isFolder(folder)
        for path in [
            "\(folder(of: repository))/blobs", "\(folder)/.locks/\(repository.folderName)",
        ] {
            try HubFileSystem.makeFolder(path)
        }
        guard isNew else { return }
        let text =
            "Signature: 8a477f597d28d172789f06886806bc55\n# This folder can be fetched again.\n"
        try HubFileSystem.write(text, to: "\(folder)/CACHEDIR.TAG")
    }

    /// Puts a blob under its file's name into a snapshot.
    func link(
        _ file: String,
        to tag: String,
        at commit: String,
        in repository: HubRepository
    ) throws(HubError) {
        let path = "\(snapshotFolder(of: commit, in: repository))/\(file)"
        try HubFileSystem.makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
        let depth = file.utf8.count { $0 == UInt8(ascii: "/") } + 2
        let target = String(repeating: "../", count: depth) + "blobs/\(tag)"
        try HubFileSystem.link(path, to: target)
    }

    /// Remembers what a branch or tag means now.
    func setCommit(
        _ commit: String,
        of revision: String,
        in repository: HubRepository
    ) throws(HubError) {
        guard revision != commit else { return }
        guard self.commit(of: revision, in: repository) != commit else { return }
        let path = "\(folder(of: repository))/refs/\(revision)"
        try HubFileSystem.makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
        try HubFileSystem.write(commit, to: path)
    }

    /// Remembers that a commit has no such file, as Python's client does.
    func setAbsent(
        _ file: String,
        at commit: String,
        in repository: HubRepository
    ) throws(HubError) {
        let path = absenceMark(of: file, at: commit, in: repository)
        guard HubFileSystem.size(path) == nil else { return }
        try HubFileSystem.makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
        try HubFileSystem.write("", to: path)
    }
}
