/// The download of one file's bytes into the cache's blobs.
struct BlobDownload {
    /// What the hub promised of a file.
    struct Promise: Sendable, Equatable {
        let file: String
        let url: String
        let tag: String
        let size: Int?
    }

    let promise: Promise
    let transport: HubTransport
    let report: @Sendable (HubEvent) -> Void
    let pause: @Sendable (Duration) async throws -> Void

    /// Fetches what is missing of a blob, checks the whole, and gives it its name.
    ///
    /// What is wrong after a resumed download may be the fault of what lay there before, so such a file is fetched
    /// once more from its start.
    ///
    /// - Parameters:
    ///   - partial: The unfinished file's path; it stays there when the download is cut short.
    ///   - path: The blob's path.
    /// - Returns: The file's size in bytes.
    /// - Throws: ``HubError``; the unfinished file is gone only where its bytes were wrong.
    func run(into partial: String, thenTo path: String) async throws(HubError) -> Int {
        let file = try PartialFile(partial)
        var wasResumed = false
        var hasRestarted = false
        while true {
            var fault = try await fetch(file, &wasResumed)
            if fault == nil { fault = try BlobChecksum(tag: promise.tag)?.fault(of: file) }
            guard let fault else { break }
            try file.empty()
            guard wasResumed, !hasRestarted else {
                HubFileSystem.remove(partial)
                throw HubError.wrongBytes(file: promise.file, reason: fault)
            }
            hasRestarted = true
        }
        try file.synchronize()
        try HubFileSystem.rename(partial, to: path)
        return file.count
    }

    /// Fetches until the file has all its bytes, going on where a connection broke off.
    ///
    /// - Returns: What shows that these are not the promised bytes, or nil.
    private func fetch(
        _ file: PartialFile,
        _ wasResumed: inout Bool
    ) async throws(HubError) -> String? {
        if let size = promise.size, file.count > size { try file.empty() }
        wasResumed = wasResumed || file.count > 0
        guard file.count != promise.size else { return nil }
        var attempts = HubAttempts(
            at: promise.file,
            transport.configuration.retries,
            pause: pause,
            report: report
        )
        while true {
            let before = file.count
            let trouble: HubTrouble
            do throws(HubTrouble) {
                return try await attempt(file)
            } catch {
                trouble = error
            }
            wasResumed = wasResumed || file.count > 0
            try await attempts.wait(after: trouble, wasFruitful: file.count > before)
        }
    }

    /// Makes one request, and takes what it brings.
    ///
    /// - Returns: What shows that these are not the promised bytes, or nil when all of them are there.
    private func attempt(_ file: PartialFile) async throws(HubTrouble) -> String? {
        let answer = try await transport.get(promise.url, of: promise.file, from: file.count)
        let announced: Int?
        do throws(HubError) {
            announced = try begin(answer, file)
        } catch { throw .final(error) }
        guard answer.status != 416 else {
            throw .passing(
                reason: "the file on the server is no longer than the part downloaded before",
                wait: nil
            )
        }
        if let size = promise.size, let announced, announced != size {
            return "the server has \(announced) bytes instead of \(size)"
        }
        let total = promise.size ?? announced
        if let fault = try await take(answer, total, file) { return fault }
        if let total, file.count < total {
            throw .passing(reason: "the connection was lost", wait: nil)
        }
        return nil
    }

    /// Makes the file end where the answer begins.
    ///
    /// - Returns: The whole file's size, if the response has it.
    private func begin(_ answer: HubAnswer, _ file: PartialFile) throws(HubError) -> Int? {
        switch answer.status {
        case 206:
            let range = ContentRange(answer.head["Content-Range"] ?? "")
            guard let range, range.start == file.count else {
                throw HubError.badAnswer(
                    what: promise.file,
                    reason: "it does not start where this download stopped"
                )
            }
            return range.total
        case 200:
            // The server knows no ranges, and starts again.
            if file.count > 0 { try file.empty() }
            return answer.integer("Content-Length")
        case 416:
            try file.empty()
            return nil
        default:
            throw HubError.badAnswer(what: promise.file, reason: "its status is \(answer.status)")
        }
    }

    private func take(
        _ answer: HubAnswer,
        _ total: Int?,
        _ file: PartialFile
    ) async throws(HubTrouble) -> String? {
        while let bytes = try await transport.next(of: answer) {
            if let total, bytes.count > total - file.count {
                return "more than the announced \(total) bytes arrived"
            }
            do throws(HubError) {
                try file.append(bytes)
            } catch { throw .final(error) }
            report(.received(file: promise.file, bytes: file.count, size: total))
            if Task.isCancelled { throw .final(.cancelled) }
        }
        return nil
    }
}

/// The header field `Content-Range` of an answer: `bytes START-END/TOTAL`.
struct ContentRange: Equatable {
    let start: Int
    let total: Int?

    init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bytes" else { return nil }
        let halves = parts[1].split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let dash = halves[0].firstIndex(of: "-"),
            let start = Int(halves[0][..<dash]), start >= 0
        else { return nil }
        self.start = start
        if halves[1] == "*" {
            total = nil
        } else {
            guard let number = Int(halves[1]), number >= 0 else { return nil }
            total = number
        }
    }
}
