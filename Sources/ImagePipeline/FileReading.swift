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
            detail: ferror(file) != 0 ? systemMessage() : "it became shorter"
        )
    }
    return bytes
}

/// Inflates a gzip or zlib stream.
///
/// - Parameters:
///   - bytes: The compressed data.
///   - limit: The most bytes that may come out; room for as many is set aside.
/// - Returns: The data, and whether the stream held more than `limit`.
/// - Throws: ``ImageError/invalid(_:)`` when the stream is damaged or cut short.
package func inflate(
    _ bytes: [UInt8],
    limit: Int
) throws(ImageError) -> (data: [UInt8], hasMore: Bool) {
    var message = [CChar](repeating: 0, count: Int(IC_MESSAGE_SIZE))
    var status = Int32(IC_OK)
    let data = [UInt8](unsafeUninitializedCapacity: max(1, limit)) { buffer, count in
        status = ic_inflate(bytes, bytes.count, buffer.baseAddress, limit, &count, &message)
    }
    switch Int(status) {
    case Int(IC_OK): return (data, false)
    case Int(IC_TOO_LARGE): return (data, true)
    default:
        let end = message.firstIndex(of: 0) ?? message.endIndex
        let text = String(decoding: message[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw .invalid(text)
    }
}

private func systemMessage() -> String {
    String(cString: strerror(errno)).lowercased()
}
