import Foundation

/// Reading of configurations and lists, which are small; what is not is refused before it is read.
package enum SmallFile {
    package static let limit = 16 << 20

    package static func read(_ path: String) throws(StorageError) -> [UInt8] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw StorageError.unreadable(path: path, reason: "no such file")
        }
        guard !isFolder.boolValue else {
            throw StorageError.unreadable(path: path, reason: "it is a folder")
        }
        do {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            )
            guard attributes[.type] as? FileAttributeType == .typeRegular else {
                throw StorageError.unreadable(path: path, reason: "it is not a regular file")
            }
            guard let size = attributes[.size] as? Int, size <= limit else {
                throw StorageError.malformed(
                    file: path,
                    reason: "it is too large for a configuration"
                )
            }
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError.unreadable(path: path, reason: error.localizedDescription)
        }
    }

    /// Reads a file that holds one JSON object.
    package static func readObject(_ path: String) throws(StorageError) -> JSONObject {
        let bytes = try read(path)
        do throws(JSONError) {
            guard let object = try JSONValue.parse(bytes).objectValue else {
                throw JSONError(offset: 0, reason: "expected an object")
            }
            return object
        } catch {
            throw StorageError.malformed(file: path, reason: "\(error)")
        }
    }
}
