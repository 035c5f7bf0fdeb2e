/// A safetensors file as bytes: the length of the header, the header, the data.
func container(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
    let size = length ?? UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: size >> ($0 * 8)) } + Array(header.utf8) + data
}
