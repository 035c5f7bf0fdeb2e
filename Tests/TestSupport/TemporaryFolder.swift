public import Foundation

/// Runs a closure with a new empty folder and removes the folder afterwards.
///
/// - Parameter body: Receives the folder.
/// - Returns: What the closure returns.
/// - Throws: What the closure throws, or the error of making the folder.
public func withTemporaryFolder<R>(_ body: (URL) throws -> R) throws -> R {
    let folder = try makeTemporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

/// Runs an asynchronous closure with a new empty folder and removes the folder afterwards.
///
/// - Parameters:
///   - isolation: The actor that the closure runs on: the caller's.
///   - body: Receives the folder.
/// - Returns: What the closure returns.
/// - Throws: What the closure throws, or the error of making the folder.
public func withTemporaryFolder<R>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (URL) async throws -> R
) async throws -> R {
    let folder = try makeTemporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}

private func makeTemporaryFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(
        path: "swift-deit-\(UUID().uuidString)"
    )
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
}
