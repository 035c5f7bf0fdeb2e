/// The Python names that state dicts, their metadata and data sets need: all that a pickle may use.
///
/// None is ever looked up or called; the machine knows what each of them would make.
package struct PickleGlobal: Sendable {
    package enum Role: Sendable {
        case dictionary
        case list
        case namespace
        case rebuildTensor
        case rebuildTensorWithType
        case rebuildParameter
        case rebuildFromType
        case storage(SafetensorsDType?)
        case dtype(SafetensorsDType?)
        case size
        case encode
        case path
        case numpyScalar
        case numpyArray
        case numpyFromBuffer
        case bytes
        case numpyType
        /// Something that is made and never used.
        case opaque
    }

    /// The name with its module, such as `torch.FloatStorage`.
    package let name: String
    package let role: Role

    /// The global of a name, or nil for all others.
    package init?(module: String, name: String) {
        let full = "\(module).\(name)"
        guard let role = Self.roles[full] ?? Self.torchRole(module, name) else { return nil }
        self.name = full
        self.role = role
    }

    private static let roles: [String: Role] = [
        "collections.OrderedDict": .dictionary,
        "collections.defaultdict": .dictionary,
        "collections.Counter": .dictionary,
        "builtins.dict": .dictionary, "__builtin__.dict": .dictionary,
        "builtins.list": .list, "__builtin__.list": .list,
        "builtins.set": .list, "__builtin__.set": .list,
        "builtins.frozenset": .list, "__builtin__.frozenset": .list,
        "builtins.bytes": .bytes, "__builtin__.bytes": .bytes,
        "builtins.bytearray": .bytes, "__builtin__.bytearray": .bytes,
        "builtins.int": .opaque, "__builtin__.int": .opaque,
        "builtins.float": .opaque, "__builtin__.float": .opaque,
        "argparse.Namespace": .namespace,
        "types.SimpleNamespace": .namespace,
        "torch._utils._rebuild_tensor": .rebuildTensor,
        "torch._utils._rebuild_tensor_v2": .rebuildTensor,
        "torch._utils._rebuild_tensor_v3": .rebuildTensorWithType,
        "torch._utils._rebuild_parameter": .rebuildParameter,
        "torch._utils._rebuild_parameter_with_state": .rebuildParameter,
        "torch._tensor._rebuild_from_type_v2": .rebuildFromType,
        "torch.Size": .size,
        "torch.device": .opaque,
        "torch.Tensor": .opaque,
        "torch.nn.parameter.Parameter": .opaque,
        "torch.nn.parameter.Buffer": .opaque,
        "torch.serialization._get_layout": .opaque,
        "_codecs.encode": .encode,
        "pathlib.Path": .path, "pathlib.PosixPath": .path, "pathlib.WindowsPath": .path,
        "pathlib.PurePosixPath": .path, "pathlib.PureWindowsPath": .path,
        "pathlib._local.Path": .path, "pathlib._local.PosixPath": .path,
        "pathlib._local.WindowsPath": .path,
        "numpy.core.multiarray.scalar": .numpyScalar,
        "numpy._core.multiarray.scalar": .numpyScalar,
        "numpy.dtype": .numpyType,
        "numpy.core.multiarray._reconstruct": .numpyArray,
        "numpy._core.multiarray._reconstruct": .numpyArray,
        "numpy.core.numeric._frombuffer": .numpyFromBuffer,
        "numpy._core.numeric._frombuffer": .numpyFromBuffer,
        "numpy.ndarray": .opaque,
    ]

    private static func torchRole(_ module: String, _ name: String) -> Role? {
        guard module == "torch" || module == "torch.storage" || module == "torch.cuda" else {
            return nil
        }
        if let dtype = storages[name] { return .storage(dtype) }
        if name == "UntypedStorage" || name == "TypedStorage" || name == "_UntypedStorage" {
            return .storage(nil)
        }
        guard module == "torch" else { return nil }
        if let dtype = dtypes[name] { return .dtype(dtype) }
        return foreignTypes.contains(name) ? .dtype(nil) : nil
    }

    private static let storages: [String: SafetensorsDType] = [
        "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16,
        "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32,
        "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
    ]

    private static let dtypes: [String: SafetensorsDType] = [
        "float32": .float32, "float": .float32, "float64": .float64, "double": .float64,
        "float16": .float16, "half": .float16, "bfloat16": .bfloat16, "int64": .int64,
        "long": .int64, "int32": .int32, "int": .int32, "int16": .int16, "short": .int16,
        "int8": .int8, "uint8": .uint8, "bool": .bool, "uint16": .uint16, "uint32": .uint32,
        "uint64": .uint64, "float8_e5m2": .float8E5M2, "float8_e4m3fn": .float8E4M3,
    ]

    /// Types that may occur in settings, but not as tensor types.
    private static let foreignTypes: Set<String> = [
        "complex32", "complex64", "complex128", "qint8", "quint8", "qint32",
    ]
}
