public import Foundation

/// Folders of this checkout and beside it.
public enum Checkout {
    /// The root of the package.
    public static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The folder of real data beside the checkout, or what `DEIT_SHARED` names, where it exists.
    public static let shared: URL? = {
        let environment = ProcessInfo.processInfo.environment["DEIT_SHARED"]
        let folder =
            environment.map { URL(filePath: $0) }
            ?? root.deletingLastPathComponent().appending(path: "shared")
        return FileManager.default.fileExists(atPath: folder.appending(path: "data").path)
            ? folder : nil
    }()

    /// A file below ``shared``, or nil where it is absent.
    ///
    /// - Parameter path: The path in that folder, such as `data/golden/0.npy`.
    /// - Returns: The file, if it exists.
    public static func sharedFile(_ path: String) -> URL? {
        guard let file = shared?.appending(path: path) else { return nil }
        return FileManager.default.fileExists(atPath: file.path) ? file : nil
    }
}
