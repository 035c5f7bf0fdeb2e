import Foundation

/// Where the model is that a name means: the `pretrained_model_name_or_path` of `from_pretrained`.
public enum PretrainedLocation {
    /// Finds the folder that a name or path means.
    ///
    /// - Parameter nameOrPath: A folder.
    /// - Returns: The folder's path.
    /// - Throws: ``PretrainedError/notFound(_:)``.
    public static func resolve(_ nameOrPath: String) async throws -> String {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: nameOrPath, isDirectory: &isFolder) {
            guard isFolder.boolValue else {
                throw PretrainedError.notFound(
                    "\(nameOrPath) is a file; name the folder that holds config.json and the weights"
                )
            }
            return nameOrPath
        }
        throw PretrainedError.notFound(
            "\(nameOrPath) is no folder; names on the hub are not resolved here"
        )
    }
}
