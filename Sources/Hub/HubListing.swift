import Storage

/// The Hub's description of a revision: its commit and the names of its files.
struct HubListing: Sendable, Equatable {
    let commit: String
    let files: [String]

    /// Reads the answer of `/api/models/ORG/NAME/revision/REVISION`.
    ///
    /// - Parameters:
    ///   - bytes: The answer's body.
    ///   - what: What was requested, for messages.
    /// - Throws: ``HubError/badAnswer(what:reason:)`` for anything but a commit and names that stay in their folder.
    init(_ bytes: [UInt8], of what: String) throws(HubError) {
        func unusable(_ reason: String) -> HubError { .badAnswer(what: what, reason: reason) }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(bytes)
        } catch { throw unusable("\(error); if HF_ENDPOINT is set, check that it is a Hub") }
        guard let commit = value["sha"]?.stringValue else { throw unusable("it has no commit") }
        guard HubNames.isCommit(commit) else {
            throw unusable("\(HubNames.quoted(commit)) is not a commit")
        }
        guard let siblings = value["siblings"]?.arrayValue else {
            throw unusable("it has no list of files")
        }
        var seen: Set<String> = []
        var files: [String] = []
        for sibling in siblings {
            guard let name = sibling["rfilename"]?.stringValue else {
                throw unusable("it lists a file without a name")
            }
            guard HubNames.isSafeFile(name) else {
                throw unusable(
                    "\(HubNames.quoted(name)) is outside the directory or is not a file name"
                )
            }
            if seen.insert(name).inserted { files.append(name) }
        }
        self.commit = commit
        self.files = files
    }
}
