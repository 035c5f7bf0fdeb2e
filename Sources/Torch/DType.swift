internal import CTorch

/// The type of a tensor's elements.
public enum DType: String, Sendable, Codable, CaseIterable {
    case float32
    case float16
    case bfloat16
    case float64
    case int64
    case int32
    case int16
    case int8
    case uint8
    case bool

    /// The size of one element, in bytes.
    public var byteSize: Int {
        switch self {
        case .float64, .int64: 8
        case .float32, .int32: 4
        case .float16, .bfloat16, .int16: 2
        case .int8, .uint8, .bool: 1
        }
    }

    /// Whether the type is one of the floating-point types.
    public var isFloatingPoint: Bool {
        switch self {
        case .float32, .float16, .bfloat16, .float64: true
        default: false
        }
    }

    var code: ct_dtype {
        switch self {
        case .float32: CT_FLOAT32
        case .float16: CT_FLOAT16
        case .bfloat16: CT_BFLOAT16
        case .float64: CT_FLOAT64
        case .int64: CT_INT64
        case .int32: CT_INT32
        case .int16: CT_INT16
        case .int8: CT_INT8
        case .uint8: CT_UINT8
        case .bool: CT_BOOL
        }
    }

    init?(code: Int32) {
        guard let match = DType.allCases.first(where: { Int32($0.code.rawValue) == code }) else {
            return nil
        }
        self = match
    }
}
