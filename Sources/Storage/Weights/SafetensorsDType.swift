/// The element types of the safetensors format, by their names in files.
public enum SafetensorsDType: String, Sendable, CaseIterable {
    /// Truth values, one byte each.
    case bool = "BOOL"

    /// Unsigned integers of 8 bits.
    case uint8 = "U8"

    /// Signed integers of 8 bits.
    case int8 = "I8"

    /// 8-bit numbers with 5 bits of exponent.
    case float8E5M2 = "F8_E5M2"

    /// 8-bit numbers with 4 bits of exponent.
    case float8E4M3 = "F8_E4M3"

    /// Signed integers of 16 bits.
    case int16 = "I16"

    /// Unsigned integers of 16 bits.
    case uint16 = "U16"

    /// Half-precision numbers.
    case float16 = "F16"

    /// Half-precision numbers with the exponent of single precision.
    case bfloat16 = "BF16"

    /// Signed integers of 32 bits.
    case int32 = "I32"

    /// Unsigned integers of 32 bits.
    case uint32 = "U32"

    /// Single-precision numbers.
    case float32 = "F32"

    /// Double-precision numbers.
    case float64 = "F64"

    /// Signed integers of 64 bits.
    case int64 = "I64"

    /// Unsigned integers of 64 bits.
    case uint64 = "U64"

    /// The size of one element in bytes.
    public var byteSize: Int {
        switch self {
        case .bool, .uint8, .int8, .float8E5M2, .float8E4M3: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .float64, .int64, .uint64: 8
        }
    }
}
