import CImageCodecs
import Foundation

/// Reads a whole file.
///
/// - Parameter path: The file's path.
/// - Returns: The file's bytes.
/// - Throws: ``ImageError/unreadable(path:detail:)`` with the system's reason.
package func readFile(at path: String) throws(ImageError) -> [UInt8] {
    guard let file = fopen(path, "rb") else {
        throw .unreadable(path: path, detail: systemMessage())
    }
    defer { fclose(file) }
    guard fseek(file, 0, SEEK_END) == 0 else {
        throw .unreadable(path: path, detail: systemMessage())
    }
    let size = ftell(file)
    // A folder "ends" at the largest integer.
    guard size >= 0, size < Int.max >> 1 else {
        throw .unreadable(path: path, detail: "it is not a regular file")
    }
    rewind(file)
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        count = size == 0 ? 0 : fread(buffer.baseAddress, 1, size, file)
    }
    guard bytes.count == size else {
        throw .unreadable(
            path: path,
            detail: ferror(file) != 0 ? systemMessage() : "it became shorter while it was read"
        )
    }
    return bytes
}

private func systemMessage() -> String {
    String(cString: strerror(errno)).lowercased()
}
